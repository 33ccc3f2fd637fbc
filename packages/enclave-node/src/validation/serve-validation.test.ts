import {
  type Address,
  addRecipient,
  deriveKeyPair,
  hpkeIdentity,
  hpkeRecipient,
  keyIdOf,
  platformRandom,
  publicKeyOf,
  verifyStatement,
  walletRecipient,
} from '@sealpool/crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readValidationWish } from '../api/validation-endpoints.js'
import type { ChainPool } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { tooSlow, validatorPeers } from '../testing/validator-peers.js'
import { type ServeValidationOptions, serveValidation } from './serve-validation.js'
import type { ToldFacts, ValidationWish } from './told-facts.js'

let world: Awaited<ReturnType<typeof judgingWorld>>

beforeAll(async () => {
  world = await judgingWorld(memoryStores())
})
afterAll(() => world.close())
beforeEach(() => world.reset())

/** A validator, and the question that its home asks about contribution 1. */
async function asked(
  change: Partial<ServeValidationOptions> = {},
  more: { readonly onChain?: Partial<ChainPool>; readonly spoilt?: true } = {},
) {
  const { peers, home } = validatorPeers(world, {
    threshold: 2,
    runtimes: [world.runtime],
    change,
    ...(more.onChain === undefined ? {} : { onChain: more.onChain }),
  })
  const [peer] = peers
  if (peer === undefined) throw new Error('there is one')
  // What it answers the home is of no interest here.
  peer.answers = () => ({ state: 'later', reason: 'BUSY' })
  await world.contribute('1', { days: daysOf(1), account: 'a' })
  if (more.spoilt) await world.spoil('1', (sealed) => sealed.fill(1, sealed.length - 4))
  await world.judge()
  const wish = readValidationWish(peer.asked[0])
  const item = wish?.items[0]
  if (wish === undefined || item === undefined) throw new Error('it was asked about one')
  const judge = (given: ValidationWish = wish, caller = home.statementAddress) =>
    peer.server.judge(caller, given)
  return {
    wish,
    item,
    keys: peer.keys,
    judge,
    signed: peer.server.signed,
    /** Why it signs nothing on the item with changes; null when it signs. */
    async withheld(told: Partial<ToldFacts>, other: Partial<typeof item> = {}) {
      const answer = await judge({ ...wish, items: [{ ...item, ...other, told: { ...item.told, ...told } }] })
      if (answer.state !== 'judged') throw new Error(answer.reason)
      return answer.answers[0]?.reason
    },
  }
}

describe('a validator is asked in vain', () => {
  it('by whoever is not the pool’s home on the chain, for another pool, and for other code', async () => {
    const { judge, wish, signed } = await asked()
    const before = signed()
    expect(await judge(wish, addressOfDigit('c'))).toEqual({ state: 'refused', reason: 'NOT_ITS_HOME' })
    expect(await judge({ ...wish, pool: addressOfDigit('b') })).toMatchObject({
      reason: 'POOL_NOT_VALIDATED',
    })
    expect(await judge({ ...wish, poc: digestOfDigit('5') })).toMatchObject({ reason: 'CODE_DIFFERS' })
    expect(signed()).toBe(before)
  })

  it.each([
    ['another policy', { policyDigest: digestOfDigit('4') }, 'POLICY_DIFFERS'],
    ['other code', { pocDigest: digestOfDigit('4') }, 'CODE_DIFFERS'],
    ['another refiner', { refinerDigest: digestOfDigit('4') }, 'CODE_DIFFERS'],
    ['no key of it', { keyEpoch: null }, 'NOT_ITS_HOME'],
  ])('when the chain has %s by now', async (_, onChain, reason) => {
    const { judge, signed } = await asked({}, { onChain })
    expect(await judge()).toEqual({ state: 'refused', reason })
    expect(signed()).toBe(0)
  })

  it.each([
    ['PEER_NOT_ATTESTED', { state: 'refused', reason: 'HOME_NOT_ATTESTED' }],
    ['NODE_UNREACHABLE', { state: 'later', reason: 'JUDGING_FAILED' }],
  ] as const)('by a home that comes as %s', async (code, answer) => {
    const { judge, signed } = await asked({ attest: () => Promise.reject(new NodeError(code, 'home', 'x')) })
    expect(await judge()).toEqual(answer)
    expect(signed()).toBe(0)
  })

  it('while it may not work, also when that comes while it judges', async () => {
    const never = await asked({ mayWork: () => false })
    expect(await never.judge()).toEqual({ state: 'later', reason: 'NODE_NOT_WORKING' })
    await world.reset()
    let calls = 0
    const stopped = await asked({ mayWork: () => calls++ % 2 === 0 })
    expect(await stopped.judge()).toEqual({ state: 'later', reason: 'JUDGING_FAILED' })
    expect(stopped.signed()).toBe(0)
  })

  it('while it works on the home’s last question', async () => {
    let begun: () => void = () => undefined
    const beginning = new Promise<void>((resolve) => {
      begun = resolve
    })
    let go: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      go = resolve
    })
    let armed = false
    const { judge } = await asked({
      attest: async () => {
        begun()
        await held
        throw new NodeError('PEER_NOT_ATTESTED', 'home', 'x')
      },
      mayWork: () => armed,
    })
    armed = true
    const first = judge()
    await beginning
    expect(await judge()).toEqual({ state: 'later', reason: 'BUSY' })
    go()
    expect(await first).toMatchObject({ reason: 'HOME_NOT_ATTESTED' })
    expect(await judge()).toMatchObject({ reason: 'HOME_NOT_ATTESTED' })
  })
})

it('strangers take no home’s turn', async () => {
  const pool = world.pool()
  const home = addressOfDigit('e')
  let reads = 0
  const server = serveValidation({
    pools: new Map([[pool.address, pool]]),
    chain: {
      pool: () => {
        reads += 1
        if (reads <= 2) return new Promise(() => undefined)
        return Promise.resolve({ keyEpoch: { node: home }, policyDigest: digestOfDigit('4') })
      },
    },
    mayWork: () => true,
  } as unknown as ServeValidationOptions)
  const wish = { pool: pool.address, poc: pool.poc.digest, key: new Uint8Array(32), items: [] }
  void server.judge(addressOfDigit('c'), wish)
  void server.judge(addressOfDigit('d'), wish)
  expect(await server.judge(home, wish)).toMatchObject({ reason: 'POLICY_DIFFERS' })
})

it('works for two homes at once, and lets others come again', async () => {
  const homes = ['b', 'c', 'd'].map((digit) => ({ ...world.pool(), address: addressOfDigit(digit) }))
  const { policyDigest, poc, refiner } = world.pool()
  let busy = 0
  const server = serveValidation({
    pools: new Map(homes.map((pool) => [pool.address, pool])),
    // Each pool's home has the pool's own address here.
    chain: {
      pool: async (node: Address) => ({
        keyEpoch: { node },
        policyDigest,
        pocDigest: poc.digest,
        refinerDigest: refiner.digest,
      }),
    },
    attest: () => {
      busy += 1
      return new Promise(() => undefined)
    },
    mayWork: () => true,
  } as unknown as ServeValidationOptions)
  const ask = ({ address: pool }: { readonly address: Address }) =>
    server.judge(pool, { pool, poc: poc.digest, key: new Uint8Array(32), items: [] })
  const [first, second, third] = homes
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are three')
  void ask(first)
  void ask(second)
  await expect.poll(() => busy).toBe(2)
  expect(await ask(third)).toEqual({ state: 'later', reason: 'BUSY' })
})

describe('whoever contributes seals as he likes, and it does not wait for ever', () => {
  const stranger = deriveKeyPair(new Uint8Array(32).fill(9)).publicKey
  const friends = Array.from({ length: 150 }, (_, index) =>
    hpkeRecipient({ publicKey: stranger, keyId: `friend-${index}` }),
  )

  it('what no question holds is refused, by all who judge', async () => {
    const { errors } = validatorPeers(world, { threshold: 2, runtimes: [world.runtime] })
    await world.contribute('1', { days: daysOf(1), more: friends })
    await world.contribute('2', { days: daysOf(2), more: friends })
    await world.context().store.run(`update contributions set owner = '${addressOfDigit('1')}' where id = 2`)
    await world.contribute('3', { days: daysOf(3), more: friends })
    await world.context().store.run('update contributions set epoch = 2 where id = 3')
    await world.judge()
    const places = await Promise.all(
      ['1', '2', '3'].map(async (id) => (await world.verdictOn(id)).refusal?.place),
    )
    expect(places).toEqual(['$.recipients', '$.recipients', 'context.epoch'])
    expect(errors).toEqual([])
  })

  it('what is sealed to something under a validator’s own name is opened by it all the same', async () => {
    const { errors, peers } = validatorPeers(world, { threshold: 2, runtimes: [world.runtime] })
    const more = peers.map(({ keys }) =>
      hpkeRecipient({ publicKey: stranger, keyId: keyIdOf(publicKeyOf(keys.hpkePrivateKey)) }),
    )
    await world.contribute('1', { days: daysOf(1), more })
    await world.judge()
    expect(errors).toEqual([])
    expect(await world.verdictOn('1')).toMatchObject({ valid: true })
  })
})

describe('a validator signs', () => {
  it('what it found itself, over what the home told, and nothing that it cannot hold against the chain', async () => {
    const { judge, withheld, item, keys, wish } = await asked()
    const answer = await judge()
    const statement = answer.state === 'judged' ? answer.answers[0]?.statement : undefined
    if (statement == null) throw new Error('it has signed')
    expect(verifyStatement(statement, { signer: keys.statementAddress })).toBe(true)
    expect(await withheld({}, { block: '7' })).toBe('CONTRIBUTION_UNKNOWN')
    expect(await withheld({}, { id: '2' })).toBe('CONTRIBUTION_UNKNOWN')
    expect(await withheld({}, { block: '1001' })).toBe('CHAIN_BEHIND')
    expect(await withheld({ novelty: null })).toBe('FACT_NOT_TOLD')
    expect(await withheld({ account: null })).toBe('FACT_NOT_TOLD')
    // That a good file does not open: it can try.
    for (const code of ['SEALED_FILE_TAMPERED', 'BLOB_MISSING', 'WRONG_OWNER'] as const) {
      const answer = await judge({
        ...wish,
        items: [{ ...item, header: null, told: { ...item.told, opening: { code, place: 'x' } } }],
      })
      const [one] = answer.state === 'judged' ? answer.answers : []
      // Without the file's key it has only the home's word on what hangs on the key, and on nothing else.
      expect(one?.reason, code).toBe(code === 'SEALED_FILE_TAMPERED' ? null : 'OPENING_DIFFERS')
    }
    expect(await withheld({}, { header: null })).toBe('OPENING_DIFFERS')
    expect(await withheld({ opening: { code: 'SEALED_FILE_TAMPERED', place: 'x' } })).toBe(null)
  })

  it('that a file does not open only when the home says the same', async () => {
    const { withheld, item } = await asked({}, { spoilt: true })
    expect(item.told.opening?.code).toBe('SEALED_FILE_TAMPERED')
    expect(await withheld({})).toBe(null)
    expect(await withheld({ opening: null })).toBe('OPENING_DIFFERS')
    expect(await withheld({ opening: { code: 'COMMITMENT_MISMATCH', place: 'x' } })).toBe('OPENING_DIFFERS')
  })

  it('nothing on a header that names another owner: whoever has the file’s key can write one', async () => {
    const { withheld, item, keys } = await asked()
    if (item.header === null) throw new Error('the home has sent one')
    const thief = walletRecipient({
      publicKey: deriveKeyPair(new Uint8Array(32).fill(9)).publicKey,
      address: addressOfDigit('d'),
    })
    const header = await addRecipient(item.header, {
      identities: [hpkeIdentity({ privateKey: keys.hpkePrivateKey })],
      recipient: thief,
      random: platformRandom,
    })
    expect(await withheld({}, { header })).toBe('HEADER_UNFIT')
    expect(await withheld({}, { header: new Uint8Array([1, 2, 3]) })).toBe('HEADER_UNFIT')
    expect(await withheld({}, { header: new Uint8Array() })).toBe('HEADER_UNFIT')
  })

  it('nothing while the blob is away, and nothing after its turn', async () => {
    const store = { get: world.context().blobStore.get }
    const { withheld } = await asked({ blobStore: { get: (...which) => store.get(...which) } })
    expect(await withheld({})).toBe(null)
    const missing = world.context().blobStore
    store.get = (_, options) => missing.get(`sha256:${'0'.repeat(64)}`, options)
    expect(await withheld({})).toBe('BLOB_AWAY')
    await world.reset()
    let time = 0
    const late = await asked({ elapsed: () => (time += 60_001) })
    expect(await late.withheld({})).toBe('TURN_OVER')
  })

  it.each([
    ['nothing more on what might not end in time', 10_001, [null, 'TURN_OVER']],
    ['whatever may still end in time', 9_999, [null, null]],
    ['on the first in any case', 25_000, [null, 'TURN_OVER']],
  ])('%s, by the limits of proof and refiner', async (_, step, reasons) => {
    let time = 0
    // Half a minute for each of both, of eighty seconds.
    const { judge, wish, item } = await asked({ elapsed: () => (time += step) })
    const answer = await judge({ ...wish, items: [item, item] })
    expect(answer.state === 'judged' && answer.answers.map(({ reason }) => reason)).toEqual(reasons)
  })

  it('nothing that a clock ended here and not at home', async () => {
    const { withheld } = await asked({ runtime: tooSlow(world.runtime) })
    expect(await withheld({})).toBe('BY_THE_CLOCK')
    expect(await withheld({ clock: true })).toBe(null)
  })
})

const noHistory = { ofIdentity: 0, ofCluster: { count: 0, earned: 0 } }
const scaledBy = (scaling: object) => (body: { items: { told: object }[] }) => ({
  ...body,
  items: [{ ...body.items[0], told: { ...body.items[0]?.told, scaling } }],
})

describe('a question', () => {
  it.each([
    ['of another form', () => 7],
    ['about nothing', (body: object) => ({ ...body, items: [] })],
    ['about too many', (body: { items: unknown[] }) => ({ ...body, items: Array(9).fill(body.items[0]) })],
    ['with a short key', (body: object) => ({ ...body, key: '0x00' })],
    ['with more', (body: object) => ({ ...body, more: 1 })],
    [
      'with a header that is no text',
      (body: { items: object[] }) => ({ ...body, items: [{ ...body.items[0], header: '§' }] }),
    ],
    [
      'with half a header',
      (body: { items: object[] }) => ({ ...body, items: [{ ...body.items[0], header: 'A' }] }),
    ],
    [
      'with a refusal that is none',
      (body: { items: { told: object }[] }) => ({
        ...body,
        items: [
          { ...body.items[0], told: { ...body.items[0]?.told, opening: { code: 'EXPIRED', place: 'x' } } },
        ],
      }),
    ],
    ['with a history below nothing', scaledBy({ history: { ...noHistory, ofIdentity: -1 }, novelty: 1 })],
    [
      'with nothing for a typical size',
      scaledBy({ history: noHistory, novelty: 1, size: { items: 1, typical: 0 } }),
    ],
    [
      'with no reward as a reward of before',
      (body: { items: { told: object }[] }) => ({
        ...body,
        items: [{ ...body.items[0], told: { ...body.items[0]?.told, rewarded: 0 } }],
      }),
    ],
    [
      'with a reward above all that there is',
      (body: { items: { told: object }[] }) => ({
        ...body,
        items: [{ ...body.items[0], told: { ...body.items[0]?.told, rewarded: 10_001 } }],
      }),
    ],
  ])('%s is none', async (_, change) => {
    const good = {
      pool: addressOfDigit('a'),
      poc: digestOfDigit('1'),
      key: `0x${'0'.repeat(64)}`,
      items: [
        {
          id: '1',
          block: '1',
          header: null,
          told: {
            opening: null,
            clock: false,
            duplicateOf: null,
            isHeld: false,
            novelty: null,
            account: null,
            scaling: null,
          },
        },
      ],
    }
    expect(readValidationWish(good)).toBeDefined()
    expect(readValidationWish(change(good))).toBeUndefined()
  })
})
