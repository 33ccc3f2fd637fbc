import { parseJobManifest } from '@sealpool/compute'
import type { AccessReading } from '@sealpool/contracts'
import { canonicalBytes, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { AccessQuery, ChainPort } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { admitConsumer } from '../policy/admit-consumer.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { consumer, engine, jobFixture, manifest, pool } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { planJob } from './plan-job.js'
import { previewPlan, previewPrice } from './request-run.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)

const token = addressOfDigit('c')
/** Members hold a token. */
const rules: JsonObject = { version: 1, use: { erc20: { contract: token, minimum: '5' } } }
const nobody: JsonObject = { version: 1, use: { not: { wallets: [consumer] } } }
const guardedBy = (access: JsonObject): ServedPool => ({
  ...pool,
  policy: parsePoolPolicy({ ...pool.policy, access }),
})
const guarded = guardedBy(rules)

/** What the chain says of the token: how many the consumer holds, or that it does not answer. */
let balance: bigint | undefined
let disagrees: boolean
let asked: AccessQuery[]
const block = { number: 9n, hash: `0x${'ab'.repeat(32)}`, timestamp: 1_700_000_000 } as const

const access = async (query: AccessQuery): Promise<readonly AccessReading[]> => {
  asked.push(query)
  if (disagrees) throw new NodeError('CHAIN_DISAGREES', 'chain', 'nothing is decided')
  const answer = {
    ended: balance !== undefined,
    size: 32n,
    word: `0x${(balance ?? 0n).toString(16).padStart(64, '0')}`,
    code: `0x${'cd'.repeat(32)}`,
  } as const
  return query.conditions.map((condition) => ({ block, answers: ['erc20' in condition ? answer : null] }))
}

beforeEach(async () => {
  await world.reset()
  Object.assign(world.chain, { access })
  balance = 5n
  disagrees = false
  asked = []
})

const contextOf = (served: ServedPool = guarded, open = () => engine()) =>
  world.context(open, { pools: new Map([[served.address, served]]) })
const judged = (verdict: string, digest = digestOf(rules)) => ({
  block: '9',
  hash: block.hash,
  conditions: [{ rules: digest, verdict }],
})
/** Puts a restriction on the chain and into the blob store. */
async function restrict(change: JsonObject): Promise<void> {
  const restriction = { format: 'sealpool/policy-restriction', version: 1, reason: 'x', ...change }
  const { digest } = await world.blobs.put(canonicalBytes(restriction as unknown as JsonValue))
  world.chain.restrictions = [...world.chain.restrictions, digest]
}

describe('a job of a pool with an access condition', () => {
  it('runs for who meets it; the receipt says by which rules, at which block', async () => {
    expect(await advanceJob(contextOf(), await world.paid())).toMatchObject({ state: 'settled' })
    expect((await world.receiptOf('1')).pools[0]?.access).toEqual(judged('yes'))
    expect(asked[0]).toMatchObject({ wallet: consumer, code: null })
  })

  it.each<[string, bigint | undefined, string, string]>([
    ['does not meet it', 4n, 'ACCESS_DENIED', 'no'],
    ['is not known to meet it', undefined, 'ACCESS_UNKNOWN', 'unknown'],
  ])('is refused for who %s: not begun, not charged, refunded', async (_, held, code, verdict) => {
    balance = held
    expect(await advanceJob(contextOf(), await world.paid())).toMatchObject({
      state: 'refused',
      reason: code,
    })
    expect(world.chain.calls).toEqual(['refuse'])
    expect(await world.spent()).toBe('0')
    const receipt = await world.receiptOf('1')
    expect(receipt).toMatchObject({ outcome: 'refused', refusal: { code } })
    expect(receipt.pools[0]).toMatchObject({ budget: null, access: judged(verdict) })
  })

  it('waits while the endpoints disagree: neither begun, charged nor refused', async () => {
    disagrees = true
    const id = await world.paid()
    await expect(advanceJob(contextOf(), id)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    expect([world.chain.calls, await world.spent()]).toEqual([[], '0'])
    disagrees = false
    expect(await advanceJob(contextOf(), id)).toMatchObject({ state: 'settled' })
  })

  it('gives no answer to who was a member when it was charged and is none when it is run', async () => {
    const id = await world.paid()
    const killed = () => {
      throw new Error('cut off')
    }
    await expect(advanceJob(contextOf(guarded, killed), id)).rejects.toThrow('cut off')
    expect((await findJob(store, id))?.reservation).not.toBeNull()
    balance = 0n
    expect(await advanceJob(contextOf(), id)).toMatchObject({
      state: 'refused',
      reason: 'EXECUTION_FAILED',
      sealedResult: null,
    })
    expect(await world.spent()).toBe('1')
  })

  it('is neither planned nor priced for who does not meet it', async () => {
    const wish = parseJobManifest(manifest())
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: true })
    expect(await previewPrice(contextOf(), wish)).toMatchObject({ ok: true })
    balance = 4n
    for (const preview of [previewPlan, previewPrice]) {
      const answer = await preview(contextOf(), wish)
      expect(answer).toMatchObject({
        ok: false,
        receipt: { statement: { body: { refusal: { code: 'ACCESS_DENIED' } } } },
      })
      const { body } = (answer as { receipt: { statement: { body: JsonObject } } }).receipt.statement
      expect(body['pools']).toMatchObject([{ access: judged('no') }])
    }
  })

  it.each([
    ['planned', previewPlan],
    ['priced', previewPrice],
  ] as const)('is %s no further than the step in which whoever asked has gone', async (_, preview) => {
    /** Steps that are begun; `first`: he had gone before. */
    const begunWhenGoneIn = async (last: 'first' | 'pool' | 'access'): Promise<readonly string[]> => {
      const begun: string[] = []
      const gone = new AbortController()
      const step = (name: string): void => {
        begun.push(name)
        if (name === last) gone.abort(new Error('gone'))
      }
      if (last === 'first') gone.abort(new Error('gone'))
      const chain = {
        ...world.chain,
        pool: async () => {
          step('pool')
          return world.chain.pool()
        },
        access: async (query: AccessQuery) => {
          step('access')
          return access(query)
        },
      } as unknown as ChainPort
      const query: typeof store.query = async (...of) => {
        step('rows')
        return store.query(...of)
      }
      const context = { ...contextOf(), chain, store: { ...store, query } }
      await expect(preview(context, parseJobManifest(manifest()), gone.signal)).rejects.toThrow('gone')
      return begun
    }
    expect(await begunWhenGoneIn('first')).toEqual([])
    expect(await begunWhenGoneIn('pool')).toEqual(['pool'])
    expect(await begunWhenGoneIn('access')).toEqual(['pool', 'access'])
    // A refusal is not signed for him either.
    balance = 4n
    expect(await begunWhenGoneIn('access')).toEqual(['pool', 'access'])
  })

  it('is under the conditions of restrictions as well, each named', async () => {
    await restrict({ access: nobody })
    expect(await advanceJob(contextOf(pool), await world.paid())).toMatchObject({
      state: 'refused',
      reason: 'ACCESS_DENIED',
    })
    expect((await world.receiptOf('1')).pools[0]?.access).toEqual(judged('no', digestOf(nobody)))
    Object.assign(world.chain, { state: 'Funded', node: null })
    const second = await world.paid(manifest({ salt: 'ponmlkjihgfedcba' }), {}, '2')
    await advanceJob(contextOf(), second)
    expect((await world.receiptOf(second)).pools[0]?.access?.conditions).toEqual([
      { rules: digestOf(rules), verdict: 'yes' },
      { rules: digestOf(nobody), verdict: 'no' },
    ])
  })

  it('waits for a release that understands the condition of a restriction', async () => {
    await restrict({ access: { version: 2, use: {} } })
    const id = await world.paid()
    expect(await advanceJob(contextOf(pool), id)).toMatchObject({
      state: 'waiting',
      reason: 'RESTRICTION_UNKNOWN',
    })
    expect(world.chain.calls).toEqual([])
  })

  it('asks the chain nothing where there is no condition', async () => {
    await advanceJob(contextOf(pool), await world.paid())
    expect(asked).toEqual([])
    expect((await world.receiptOf('1')).pools[0]).not.toHaveProperty('access')
  })
})

describe('who is let in', () => {
  const chain: Pick<ChainPort, 'access'> = { access }
  const other = { ...guardedBy(nobody), address: addressOfDigit('b') }
  const plannedFor = async (...pools: readonly ServedPool[]) => {
    const wish = parseJobManifest(manifest())
    const planned = await planJob(wish, [guarded])
    const [charge] = planned.charges
    if (charge === undefined) throw new Error('the plan charges the pool')
    const charges = pools.map((one) => ({ ...charge, pool: one }))
    return { manifest: wish, planned: { ...planned, charges } }
  }

  it('meets the conditions of all pools, judged at one block', async () => {
    const met = guardedBy({ version: 1, use: { not: nobody['use'] ?? null } })
    const open = { ...met, address: other.address }
    const { charges } = await admitConsumer({ chain }, await plannedFor(guarded, open))
    expect(charges.map((charge) => charge.pool.access?.conditions[0]?.verdict)).toEqual(['yes', 'yes'])
    expect(asked).toHaveLength(1)
    await expect(admitConsumer({ chain }, await plannedFor(guarded, other))).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      charged: false,
    })
  })

  it('is told apart from nobody knows: what is not met weighs more', async () => {
    balance = undefined
    await expect(admitConsumer({ chain }, await plannedFor(guarded, other))).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    })
    await expect(admitConsumer({ chain }, await plannedFor(guarded))).rejects.toMatchObject({
      code: 'ACCESS_UNKNOWN',
    })
  })

  it('may be code: the digest of a computation is what an app list is asked for', async () => {
    const wish = await plannedFor(guarded)
    await admitConsumer({ chain }, { ...wish, planned: { ...wish.planned, code: digestOfDigit('5') } })
    expect(asked[0]?.code).toBe(`0x${'5'.repeat(64)}`)
  })
})
