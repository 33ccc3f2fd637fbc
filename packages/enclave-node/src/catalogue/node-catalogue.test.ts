import { createSimulator } from '@sealpool/attest/simulator'
import { type Address, type JsonValue, platformRandom, type SignedStatement } from '@sealpool/crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { nodeSigner, subjectOf } from '../key/node-signer.js'
import { attestPeer } from '../peer/attest-peer.js'
import { openPeer } from '../peer/call-peer.js'
import { nodeLogger } from '../runtime/logger.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import type { StateStore } from '../state/state-store.js'
import { type ListedNodes, listedNodes, peerNode, simulatorPolicy } from '../testing/peer-node.js'
import { addressOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { type CatalogueEntry, entryBody, maximumEntrySeconds, readEntry } from './catalogue-entry.js'
import { type NodeCatalogue, nodeCatalogue } from './node-catalogue.js'
import { ownEntry } from './own-entry.js'

/* Three nodes with real evidence of one simulator, real APIs and sealed calls; the chain is a list that the tests write. */

const simulator = createSimulator({ random: platformRandom, at: new Date() })
const registry = addressOfDigit('c')
const names = ['first', 'second', 'third'] as const
type Name = (typeof names)[number]
const poolOf: Readonly<Record<Name, Address>> = {
  first: addressOfDigit('1'),
  second: addressOfDigit('2'),
  third: addressOfDigit('3'),
}
/** The chain cannot be asked about it: there is no contract. */
const noPool = addressOfDigit('8')
const failing = { attest: false }
let store: StateStore
let chain: ListedNodes
let keyOf: Map<Address, Address>
let ahead: number
let nodes: Record<Name, Node>
const now = () => Math.floor(Date.now() / 1000) + ahead

interface Node {
  readonly peer: Awaited<ReturnType<typeof peerNode>>
  readonly catalogue: NodeCatalogue
  readonly sign: ReturnType<typeof nodeSigner>
  /** What it answers instead of its entries. */
  lie: ((entries: readonly SignedStatement[]) => readonly JsonValue[]) | undefined
  readonly asked: string[]
}

async function node(name: Name, mrTd?: Uint8Array): Promise<Node> {
  const url = `https://${name}.example`
  const own: { lie: Node['lie']; catalogue?: NodeCatalogue } = { lie: undefined }
  const asked: string[] = []
  const peer = await peerNode({
    simulator,
    store,
    url,
    ...(mrTd === undefined ? {} : { mrTd }),
    service: {
      catalogue: {
        search(query) {
          const page = own.catalogue?.search(query) ?? { entries: [], total: 0, next: null }
          if (own.lie === undefined) return page
          const told = own.lie(page.entries.map(({ statement }) => statement))
          return { ...page, entries: told.map((statement) => ({ statement })) as never }
        },
        similar: (pool) => own.catalogue?.similar(pool),
      },
    },
  })
  peer.world.clock.seconds = Math.floor(Date.now() / 1000)
  peer.register(chain)
  const sign = nodeSigner({ statementKey: peer.keys.statementKey, chainId: 31_337, registry })
  const fetch: typeof globalThis.fetch = (input, init) => {
    const address = new URL(String(input instanceof Request ? input.url : input))
    asked.push(`${address.hostname}${address.pathname}`)
    const target = names.find((one) => address.hostname === `${one}.example`) ?? 'first'
    return nodes[target].peer.fetch(input, init)
  }
  const seconds = () => Math.floor(Date.now() / 1000)
  const ports = { chainId: 31_337, random: platformRandom, now: seconds, timeoutMs: 5_000, fetch }
  own.catalogue = nodeCatalogue({
    chain: {
      chainId: 31_337,
      registry,
      pool: async (pool) => {
        if (pool === noPool) throw new Error('the contract function reverted')
        const key = keyOf.get(pool)
        const { policyDigest } = servedPoolFixture(pool)
        return { policyDigest, keyEpoch: key === undefined ? null : { epoch: 1, node: key } } as never
      },
    },
    sign,
    node: peer.keys.statementAddress,
    url: () => url,
    measurement: peer.measurement,
    simulated: true,
    pools: new Map([[poolOf[name], servedPoolFixture(poolOf[name])]]),
    epochOf: () => 1,
    refinedOf: async () => ({ count: 7, newestBlock: '12' }),
    isListed: () => chain.isNodeActive(peer.keys.statementAddress),
    peers: names.filter((one) => one !== name).map((one) => `https://${one}.example`),
    attest: async (one) => {
      if (failing.attest && one === 'https://second.example')
        throw new TypeError('no error of the node’s own')
      return attestPeer({
        ...ports,
        url: one,
        chain,
        evidencePolicy: simulatorPolicy(simulator),
        simulated: true,
      })
    },
    lineTo: (one) => openPeer(one, ports),
    maximumEntries: 10,
    now,
    log: nodeLogger({ level: 'silent', simulated: true }),
  })
  return Object.assign(own, { peer, catalogue: own.catalogue, sign, asked })
}

beforeAll(async () => {
  store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
  chain = listedNodes()
  keyOf = new Map()
  ahead = 0
  nodes = {
    first: await node('first'),
    second: await node('second'),
    third: await node('third', new Uint8Array(48).fill(7)),
  }
  for (const name of ['second', 'third'] as const) await nodes[name].catalogue.refresh()
})
afterAll(() => store.close())
beforeEach(() => {
  ahead = 0
  for (const name of names) {
    const { peer, asked } = nodes[name]
    peer.register(chain)
    keyOf.set(poolOf[name], peer.keys.statementAddress)
    nodes[name].lie = undefined
    asked.length = 0
  }
})
const listed = (name: Name = 'first') =>
  nodes[name].catalogue.search({}).entries.map(({ entry }) => {
    const [found] = names.filter((one) => poolOf[one] === entry.pool)
    return found
  })

describe('three nodes', () => {
  it('tell what in all of their pools is most like one of them, each as its own node signed it', async () => {
    await nodes.first.catalogue.refresh()
    const answer = await nodes.first.peer.world.app().request(`/v1/catalogue/${poolOf.second}/similar`)
    const { pool, similar } = (await answer.json()) as {
      readonly pool: string
      readonly similar: readonly { readonly likeness: number; readonly entry: SignedStatement }[]
    }
    expect(pool).toBe(poolOf.second)
    // All three are of one fixture, but for their names.
    expect(similar.map(({ likeness }) => likeness)).toEqual([1_000, 1_000])
    expect(similar.map(({ entry }) => entry)).toEqual(
      nodes.first.catalogue
        .search({})
        .entries.filter(({ entry }) => entry.pool !== poolOf.second)
        .map(({ statement }) => statement),
    )
    const ask = (path: string) => nodes.first.peer.world.app().request(path)
    expect((await ask(`/v1/catalogue/${noPool}/similar`)).status).toBe(404)
    expect((await ask('/v1/catalogue/pay/similar')).status).toBe(400)
  })

  it('list each other’s pools, signed by who serves them, and each gives only its own away', async () => {
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'second', 'third'])
    for (const { entry, statement } of nodes.first.catalogue.search({}).entries) {
      const rules = { chainId: 31_337, registry, node: entry.node, now: now() }
      expect(readEntry(JSON.parse(JSON.stringify(statement)), rules).entry).toEqual(entry)
      // Rounded down to the policy's smallest group, which is 2.
      expect(entry).toMatchObject({ contributions: 6, simulated: true, epoch: 1, price: '1' })
    }
    const own = nodes.first.catalogue.search({ own: true }).entries
    expect(own.map(({ entry }) => entry.pool)).toEqual([poolOf.first])
    // Nothing but evidence travels in the clear.
    expect(new Set(nodes.first.asked)).toEqual(
      new Set(
        ['second', 'third'].flatMap((one) => [`${one}.example/v1/evidence`, `${one}.example/v1/sealed`]),
      ),
    )
  })

  it('a node that was revoked is gone after the next refresh, and its own catalogue is empty', async () => {
    await nodes.first.catalogue.refresh()
    nodes.second.peer.register(chain, { active: false })
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'third'])
    await nodes.second.catalogue.refresh()
    expect(nodes.second.catalogue.search({ own: true }).total).toBe(0)
    nodes.second.peer.register(chain)
    await nodes.second.catalogue.refresh()
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'second', 'third'])
  })

  it('a node with a measurement that the chain does not allow is refused, and sent nothing but a nonce', async () => {
    await nodes.first.catalogue.refresh()
    nodes.first.asked.length = 0
    chain.allowed.delete(nodes.third.peer.measurement)
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'second'])
    expect(nodes.first.asked.filter((one) => one.startsWith('third'))).toEqual(['third.example/v1/evidence'])
  })

  it('entries that nobody signs anew are gone when they have expired', async () => {
    await nodes.first.catalogue.refresh()
    ahead = maximumEntrySeconds
    expect(listed()).toEqual([])
  })

  it('a pool that moved to another node is listed once, by the node that the chain names', async () => {
    await nodes.first.catalogue.refresh()
    keyOf.set(poolOf.second, nodes.third.peer.keys.statementAddress)
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'third'])
  })
})

describe('a peer that lies', () => {
  const entryOf = (change: Partial<CatalogueEntry>, name: Name = 'second'): CatalogueEntry => ({
    ...ownEntry(servedPoolFixture(poolOf[name]), {
      node: nodes[name].peer.keys.statementAddress,
      url: `https://${name}.example`,
      epoch: 1,
      measurement: nodes[name].peer.measurement,
      simulated: true,
      refined: 4,
      newestBlock: null,
      now: now(),
    }),
    ...change,
  })
  const signed = (entry: CatalogueEntry, by: Name = 'second', change: object = {}) =>
    JSON.parse(
      JSON.stringify(
        nodes[by].sign({
          type: 'sealpool/catalogue-entry',
          body: entryBody(entry),
          pool: entry.pool,
          subject: subjectOf(0),
          nonce: '0',
          ...change,
        }),
      ),
    ) as JsonValue & { statement: { body: Record<string, unknown> } }

  it('is believed as far as what it signs for itself holds', async () => {
    nodes.second.lie = () => [signed(entryOf({}))]
    await nodes.first.catalogue.refresh()
    expect(listed()).toContain('second')
  })

  it.each<readonly [string, () => readonly JsonValue[]]>([
    [
      'a body that was changed after it was signed',
      () => [
        (() => {
          const one = signed(entryOf({}))
          one.statement.body['price'] = '1000000'
          return one
        })(),
      ],
    ],
    ['an entry that another node has signed', () => [signed(entryOf({}, 'third'), 'third')]],
    ['an entry in another’s name', () => [signed(entryOf({ node: nodes.third.peer.keys.statementAddress }))]],
    ['a pool that the chain gives to another node', () => [signed(entryOf({ pool: poolOf.third }))]],
    ['a pool of the node that asks', () => [signed(entryOf({ pool: poolOf.first }))]],
    ['a pool that no node has', () => [signed(entryOf({ pool: addressOfDigit('9') }))]],
    [
      'a statement for another pool than its body',
      () => [signed(entryOf({}), 'second', { pool: poolOf.third })],
    ],
    ['an address that is no pool', () => [signed(entryOf({ pool: noPool }))]],
    ['another epoch than the chain’s', () => [signed(entryOf({ epoch: 999 }))]],
    ['another policy than the chain’s', () => [signed(entryOf({ policy: `sha256:${'7'.repeat(64)}` }))]],
    ['another measurement than it runs', () => [signed(entryOf({ measurement: `0x${'ff'.repeat(32)}` }))]],
    ['hardware, of a simulator', () => [signed(entryOf({ simulated: false }))]],
    ['another place than it was reached at', () => [signed(entryOf({ url: 'http://evil.example' }))]],
    ['a statement on something else', () => [signed(entryOf({}), 'second', { type: 'sealpool/receipt' })]],
    ['an entry that has expired', () => [signed(entryOf({ expiresAt: now() }))]],
    ['an entry for ever', () => [signed(entryOf({ expiresAt: now() + 10 * maximumEntrySeconds }))]],
    [
      'a body with a member too many',
      () => [signed({ ...entryOf({}), rows: 7 } as unknown as CatalogueEntry)],
    ],
    ['no statement', () => ['entry', null, 7, [], {}]],
  ])('%s is refused, the rest goes on', async (_name, lie) => {
    nodes.second.lie = lie
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'third'])
    const theirs = nodes.first.catalogue.search({}).entries.find(({ entry }) => entry.pool === poolOf.third)
    expect(theirs?.entry.node).toBe(nodes.third.peer.keys.statementAddress)
  })

  it('an entry about no pool does not take the honest one beside it', async () => {
    nodes.second.lie = (entries) => [
      signed(entryOf({ pool: noPool })),
      ...(entries as unknown as JsonValue[]),
    ]
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'second', 'third'])
  })

  it('whatever goes wrong with one peer, the next one is asked', async () => {
    failing.attest = true
    await nodes.first.catalogue.refresh()
    failing.attest = false
    expect(listed()).toEqual(['first', 'third'])
  })

  it('the same entry twice is one', async () => {
    nodes.second.lie = (entries) => [...entries, ...entries] as unknown as JsonValue[]
    await nodes.first.catalogue.refresh()
    expect(listed()).toEqual(['first', 'second', 'third'])
  })

  it('another chain’s statement is refused', () => {
    const rules = {
      chainId: 31_337,
      registry,
      node: nodes.second.peer.keys.statementAddress,
      now: now(),
    }
    const statement = signed(entryOf({}))
    expect(readEntry(statement, rules).entry.pool).toBe(poolOf.second)
    for (const change of [{ chainId: 1 }, { registry: addressOfDigit('d') }])
      expect(() => readEntry(statement, { ...rules, ...change })).toThrow(/another chain or registry/)
  })
})
