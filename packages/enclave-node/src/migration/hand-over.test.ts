import { createSimulator } from '@sealpool/attest/simulator'
import {
  type Digest,
  decodeBase64Url,
  digestOf,
  type Hex,
  hpkeOpen,
  type JsonObject,
  platformRandom,
} from '@sealpool/crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { configDigest, measuredConfig, type NodeConfig, parseNodeConfig } from '../config/node-config.js'
import { freshEvidence } from '../evidence/node-evidence.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner, subjectOf } from '../key/node-signer.js'
import { migrate } from '../state/migration.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import { type ListedNodes, listedNodes, quotesOf, simulatorPolicy } from '../testing/peer-node.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { signAsking } from './asking.js'
import { evidenceNonce, type HandOverOptions, handOver, handOverInfo } from './hand-over.js'
import { keySetUnder, noteHandOver, noteListed, readHandOvers } from './moved-keys.js'

const simulator = createSimulator({ random: platformRandom, at: new Date() })
const [oldCode, newCode] = [quotesOf(simulator), quotesOf(simulator, new Uint8Array(48).fill(2))]
const address = (digit: string) => `0x${digit.repeat(40)}`
const names = [
  'protocolToken',
  'nodeRegistry',
  'dataRegistry',
  'contributionBatches',
  'jobBoard',
  'permissions',
  'approvals',
  'poolFactory',
]
const settings = (change: object = {}): NodeConfig =>
  parseNodeConfig({
    format: 'sealpool/node-config',
    version: 1,
    dataDirectory: '/data',
    chain: {
      rpcUrl: 'http://127.0.0.1:8545',
      deployment: {
        chainId: 31_337,
        blockNumber: 0,
        ...Object.fromEntries(names.map((name) => [name, address('1')])),
      },
    },
    evidence: { provider: 'simulator' },
    keyRelease: { adapter: 'development' },
    peers: { evidencePolicy: simulatorPolicy(simulator) },
    blobStore: { kind: 'files', directory: '/blobs' },
    pools: [
      {
        address: address('a'),
        policy: {},
        poc: { code: 'x', digest: digestOfDigit('1') },
        refiner: { code: 'y', digest: digestOfDigit('2'), schema: {} },
      },
    ],
    ...change,
  })
const root = platformRandom(32)
const ownSettings = settings()
const keys = openKeyRing(root, configDigest(ownSettings))
const theirSettings = settings({ instance: 'new' })
const theirs = openKeyRing(platformRandom(32), configDigest(theirSettings))
const open = memoryStores()
let store: StateStore
let chain: ListedNodes
let events: string[]
beforeEach(async () => {
  store = await open()
  await migrate(store)
  chain = listedNodes()
  chain.allowed.add(oldCode.measurement).add(newCode.measurement)
  list(keys.keySetDigest, oldCode.measurement)
  events = []
  return () => store.close()
})
function list(keySet: Digest, measurement: Hex): void {
  chain.nodes.set(keys.statementAddress, { keySetDigest: keySet, measurement, active: true })
}

const listed = () => ({ keySetDigest: keys.keySetDigest, measurement: oldCode.measurement, active: true })

const old = (change: Partial<HandOverOptions> = {}) =>
  handOver({
    config: { ...ownSettings, migration: { measurement: newCode.measurement, keySet: theirs.keySetDigest } },
    keys,
    root,
    measurement: oldCode.measurement,
    simulated: true,
    store,
    chain,
    stopWork: async () => {
      events.push(`stopped with ${(await readHandOvers(store)).length} noted`)
    },
    audit: { write: ({ event }) => events.push(event) },
    onRefusal: (why) => events.push(why),
    random: platformRandom,
    now: () => Math.floor(Date.now() / 1000),
    ...change,
  })
/** Asks as the successor does, as far as nothing is changed. */
async function ask(
  node: ReturnType<typeof handOver>,
  change: {
    readonly as?: typeof theirs
    readonly code?: typeof newCode
    readonly settings?: NodeConfig
    readonly nonce?: string
    readonly evidenceFor?: string
    readonly asked?: JsonObject
  } = {},
) {
  const challenge = node.challenge()
  if (typeof challenge === 'string') return challenge
  const { nonce = challenge.nonce, as = theirs, code = newCode } = change
  const evidence = await freshEvidence(code, as, evidenceNonce(change.evidenceFor ?? nonce))
  const answer = await node.give({
    nonce,
    evidence: JSON.parse(JSON.stringify(evidence)) as JsonObject,
    asked: change.asked ?? asking(as, nonce),
    settings: measuredConfig(change.settings ?? theirSettings),
  })
  return typeof answer === 'string' ? answer : { ...answer, nonce }
}

const asking = (as: typeof theirs, nonce: string, change: object = {}): JsonObject =>
  JSON.parse(
    JSON.stringify(
      signAsking({
        statementKey: as.statementKey,
        chainId: chain.chainId,
        registry: chain.registry,
        nonce,
        ...change,
      }),
    ),
  ) as JsonObject

describe('an old node', () => {
  it('gives nothing for evidence that somebody else has asked its successor for', async () => {
    const node = old()
    const challenge = node.challenge()
    const nonce = typeof challenge === 'string' ? '' : challenge.nonce
    const word = asking(theirs, nonce)
    for (const asked of [
      {},
      asking(keys, nonce),
      asking(theirs, '1'.repeat(74)),
      asking(theirs, nonce, { chainId: 1 }),
      asking(theirs, nonce, { registry: address('2') }),
      { ...word, statement: { ...(word['statement'] as JsonObject), type: 'sealpool/receipt' } },
      JSON.parse(
        JSON.stringify(
          nodeSigner({ statementKey: theirs.statementKey, chainId: 31_337, registry: chain.registry })({
            type: 'sealpool/other',
            body: { nonce },
            pool: chain.registry,
            subject: subjectOf(0),
            nonce: '0',
          }),
        ),
      ) as JsonObject,
    ]) {
      expect(await ask(node, { nonce, asked })).toBe('MIGRATION_NOT_ATTESTED')
      expect(events.splice(0)).toEqual([expect.stringContaining('brought by somebody else')])
    }
    // None of them has used the nonce up.
    expect(await ask(node, { nonce })).toMatchObject({ root: expect.any(String) as string })
    expect(await ask(node, { nonce })).toBe('MIGRATION_NONCE')
  })

  it('lets only so many wait while work ends', async () => {
    let letEnd: () => void = () => undefined
    const ending = new Promise<void>((resolve) => {
      letEnd = resolve
    })
    const node = old({ stopWork: () => ending })
    const all = Array.from({ length: 17 }, () => ask(node))
    expect(await Promise.race(all)).toBe('BUSY')
    letEnd()
    expect((await Promise.all(all)).filter((answer) => answer === 'BUSY')).toHaveLength(1)
    expect(await ask(node)).toMatchObject({ root: expect.any(String) as string })
  })

  it('stops, then notes, then seals its root to the successor alone, and does so again', async () => {
    const node = old()
    for (const _ of [1, 2]) {
      const answer = await ask(node)
      if (typeof answer === 'string') throw new Error(answer)
      expect(answer.successor).toBe(keySetUnder(keys.keySet, configDigest(theirSettings)))
      const sealed = {
        info: handOverInfo(answer.successor),
        aad: new TextEncoder().encode(answer.nonce),
        message: decodeBase64Url(answer.root ?? ''),
      }
      expect(await hpkeOpen({ ...sealed, privateKey: theirs.hpkePrivateKey })).toEqual(root)
      await expect(hpkeOpen({ ...sealed, privateKey: keys.hpkePrivateKey })).rejects.toThrow()
    }
    expect(events).toEqual(['stopped with 0 noted', 'keys-moved', 'stopped with 1 noted', 'keys-moved'])
  })

  it('gives its root to nobody whose keys a broker or a committee knows, and confirms to those that it has', async () => {
    const others = [
      { adapter: 'key-broker', url: 'https://broker.example', resource: 'a/b/c', root: digestOf('its own') },
      { adapter: 'peers', peers: ['https://peer.example'], key: {}, envelope: 'A'.repeat(100) },
      { adapter: 'dstack' },
    ]
    for (const keyRelease of others) {
      const chosen = settings({ instance: 'new', keyRelease })
      const known = openKeyRing(platformRandom(32), configDigest(chosen))
      const migration = { measurement: newCode.measurement, keySet: known.keySetDigest }
      const config = { ...ownSettings, migration }
      expect(await ask(old({ config }), { as: known, settings: chosen })).toBe('MIGRATION_SETTINGS')
      expect(events.splice(0)).toEqual([expect.stringContaining('keeps no root of its own')])
      const heir = openKeyRing(root, configDigest(chosen))
      const named = { ...ownSettings, migration: { ...migration, keySet: heir.keySetDigest } }
      expect(await ask(old({ config: named }), { as: heir, settings: chosen })).toMatchObject({ root: null })
      events = []
    }
  })

  it('says only that it knows when the successor has the root already', async () => {
    const node = old()
    await ask(node)
    const heir = openKeyRing(root, configDigest(theirSettings))
    expect(await ask(node, { as: heir })).toMatchObject({ root: null, successor: heir.keySetDigest })
  })

  it('gives nothing, and goes on working, when', async () => {
    const migration = { measurement: newCode.measurement, keySet: theirs.keySetDigest }
    const refused = async (code: string, asking: () => Promise<unknown>) => {
      expect(await asking()).toBe(code)
      expect(events.filter((event) => /stopped|keys-moved/.test(event))).toEqual([])
    }
    // its settings name nobody, or nobody at all may have its keys
    await refused('MIGRATION_NOT_OPEN', () => ask(old({ config: ownSettings })))
    await refused('MIGRATION_NOT_OPEN', () =>
      ask(old({ config: { ...ownSettings, migration, peers: null } })),
    )
    const never: NodeConfig = { ...ownSettings, migration, keyRecovery: 'none' }
    await refused('MIGRATION_NOT_OPEN', () => ask(old({ config: never })))
    const given = await old({ config: never }).give({
      nonce: '0'.repeat(74),
      evidence: {},
      asked: {},
      settings: {},
    })
    expect(given).toBe('MIGRATION_NOT_OPEN')
    // the nonce is not its own, or was used, or the evidence is over another
    await refused('MIGRATION_NONCE', () => ask(old(), { nonce: '0'.repeat(74) }))
    const node = old()
    const challenge = node.challenge()
    const nonce = typeof challenge === 'string' ? '' : challenge.nonce
    await refused('MIGRATION_SETTINGS', () => ask(node, { nonce, settings: ownSettings }))
    await refused('MIGRATION_NOT_ATTESTED', () => ask(old(), { evidenceFor: '1'.repeat(74) }))
    // it is no simulator itself, or the asker runs other code, or code that the chain does not allow
    await refused('MIGRATION_NOT_ATTESTED', () => ask(old({ simulated: false })))
    await refused('MIGRATION_NOT_ATTESTED', () => ask(old(), { code: oldCode }))
    chain.allowed.delete(newCode.measurement)
    await refused('MIGRATION_NOT_ATTESTED', () => ask(old()))
    chain.allowed.add(newCode.measurement)
    // another node asks
    const other = openKeyRing(platformRandom(32), configDigest(theirSettings))
    await refused('MIGRATION_NOT_ATTESTED', () => ask(old(), { as: other }))
    // the settings are not those of its key set, or treat data otherwise
    await refused('MIGRATION_SETTINGS', () => ask(old(), { settings: settings({ instance: 'x' }) }))
    const loose = settings({ sandbox: { isolation: 'best' } })
    const loosely = openKeyRing(platformRandom(32), configDigest(loose))
    await refused('MIGRATION_SETTINGS', () => ask(old(), { as: loosely, settings: loose }))
    // it would be this very node
    const same = openKeyRing(platformRandom(32), configDigest(ownSettings))
    await refused('MIGRATION_SETTINGS', () => ask(old(), { as: same, settings: ownSettings }))
    // the registry lists another key set, or nobody
    list(digestOf('another'), oldCode.measurement)
    await refused('MIGRATION_DONE', () => ask(old()))
    await noteListed(store, keys.keySetDigest)
    list(digestOf('another'), newCode.measurement)
    await refused('MIGRATION_DONE', () => ask(old()))
    chain.nodes.clear()
    await refused('MIGRATION_DONE', () => ask(old()))
  })

  it('gives nothing to a second node with the same settings, and something to one of another instance', async () => {
    const successor = keySetUnder(keys.keySet, configDigest(theirSettings))
    await noteHandOver(store, { by: keys.keySetDigest, asker: digestOf('first'), successor })
    expect(await ask(old())).toBe('MIGRATION_DONE')
    const again = settings({ instance: 'again' })
    const another = openKeyRing(platformRandom(32), configDigest(again))
    const migration = { measurement: newCode.measurement, keySet: another.keySetDigest }
    const node = old({ config: { ...ownSettings, migration } })
    expect(await ask(node, { as: another, settings: again })).toMatchObject({
      root: expect.any(String) as string,
    })
    expect(await readHandOvers(store)).toHaveLength(2)
  })

  it('gives and notes nothing when the chain takes back its word while work ends', async () => {
    const meanwhile = async (change: () => void, code: string) => {
      expect(await ask(old({ stopWork: async () => change() }))).toBe(code)
      expect(await readHandOvers(store)).toEqual([])
      expect(events).not.toContain('keys-moved')
    }
    await meanwhile(() => chain.allowed.delete(newCode.measurement), 'MIGRATION_NOT_ATTESTED')
    chain.allowed.add(newCode.measurement)
    await meanwhile(() => list(digestOf('another'), oldCode.measurement), 'MIGRATION_DONE')
  })

  it('gives nothing that its audit log does not tell of, also when it was noted before', async () => {
    const full = { write: () => fail('disk full') }
    await expect(ask(old({ audit: full }))).rejects.toThrow('disk full')
    await expect(ask(old({ audit: full }))).rejects.toThrow('disk full')
    expect(await ask(old())).toMatchObject({ root: expect.any(String) as string })
    expect(events.at(-1)).toBe('keys-moved')
  })

  it('gives nothing back to a node that has given these keys away: it would never work again', async () => {
    const successor = keySetUnder(keys.keySet, configDigest(theirSettings))
    await noteHandOver(store, { by: successor, asker: digestOf('before'), successor: keys.keySetDigest })
    expect(await ask(old())).toBe('MIGRATION_SETTINGS')
    expect(events).toEqual([expect.stringContaining('another instance')])
  })

  it('that was revoked, or whose own code was withdrawn, gives nothing', async () => {
    chain.nodes.set(keys.statementAddress, {
      keySetDigest: keys.keySetDigest,
      measurement: oldCode.measurement,
      active: false,
    })
    expect(await ask(old())).toBe('MIGRATION_DONE')
    list(keys.keySetDigest, oldCode.measurement)
    const measurementAllowed = async (one: Hex) => one !== oldCode.measurement
    expect(await ask(old({ chain: { ...chain, node: async () => listed(), measurementAllowed } }))).toBe(
      'MIGRATION_DONE',
    )
    expect(events.filter((event) => /stopped|keys-moved/.test(event))).toEqual([])
  })

  it('that could not note it has stopped all the same, and gives nothing', async () => {
    const broken: StateStore = { ...store, transaction: () => Promise.reject(new Error('disk full')) }
    await expect(ask(old({ store: broken }))).rejects.toThrow('disk full')
    expect(events).toEqual(['stopped with 0 noted'])
    expect(await readHandOvers(store)).toEqual([])
  })
})

function fail(why: string): never {
  throw new Error(why)
}
