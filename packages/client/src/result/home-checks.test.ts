import type { ReceiptBody } from '@sealpool/attest'
import { type Address, digestOf, type JsonObject } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { result, sealedResult } from '../testing/receipt-bundle.js'
import {
  type HomesWord,
  home,
  homesOnChain,
  recordedRelease,
  sharedBundle,
} from '../testing/shared-bundle.js'
import { at, deployment as contracts, measurement, node, pool, trust } from '../testing/simulated-pool.js'
import type { JobHomes } from './job-homes.js'
import { verifyJobReceipt } from './verify-job-receipt.js'

type Options = Parameters<typeof verifyJobReceipt>[0]
const deployment = { chainId: contracts.chainId, registry: contracts.nodeRegistry }
const recordedAt = { block: 1n, final: true }

/** The checks that do not pass, when these things are other ones. */
function open(
  change: Partial<Options> = {},
  made: ReturnType<typeof sharedBundle> = sharedBundle(),
): readonly string[] {
  const verdict = verifyJobReceipt({
    ...made,
    recordedAt,
    deployment,
    trust,
    at,
    result,
    sealedResult,
    homes: homesOnChain,
    released: recordedRelease,
    ...change,
  })
  const ids = verdict.checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
  expect(verdict.ok).toBe(ids.length === 0)
  return ids
}
const word = (change: HomesWord, body?: (body: ReceiptBody) => ReceiptBody) =>
  open({}, sharedBundle(change, body))
const nodeOf = (change: object): JobHomes => ({
  ...homesOnChain,
  nodes: new Map([...homesOnChain.nodes].map(([key, shown]) => [key, { ...shown, ...change }])),
})
const poolOf = (address: Address, change: object): JobHomes => ({
  ...homesOnChain,
  pools: new Map(
    [...homesOnChain.pools].map(([key, shown]) => [key, key === address ? { ...shown, ...change } : shown]),
  ),
})
const unsigned = ['charge', 'homes-signed', 'homes-keys', 'homes-measured']

describe('a receipt over pools of several homes', () => {
  test('verifies with each home’s word and what the chain shows', () => {
    expect(open()).toEqual([])
    expect(open({}, sharedBundle({}, undefined, true))).toEqual(['result', 'sealed-result'])
  })

  test('is not ok without them', () => {
    const bare = (name: 'shares' | 'homes' | 'released') => {
      const { [name]: _, ...made } = { ...sharedBundle(), homes: homesOnChain, released: recordedRelease }
      const { ok, checks } = verifyJobReceipt({
        ...{ deployment, trust, at, result, sealedResult, recordedAt },
        ...made,
      })
      expect(ok).toBe(false)
      return checks.flatMap(({ id, result }) => (result === 'not-checked' ? [id] : []))
    }
    expect(bare('shares')).toEqual(['homes-signed', 'homes-keys', 'homes-measured'])
    expect(bare('homes')).toEqual(['homes-keys', 'homes-listed', 'homes-measured'])
    expect(bare('released')).toEqual(['charges-on-chain', 'result-on-chain'])
    expect(open({ shares: [] })).toEqual(unsigned)
  })

  test.each<[string, JsonObject]>([
    ['another manifest', { manifest: digestOf('another') }],
    ['another plan', { plan: digestOf('another') }],
    ['another job', { job: '8' }],
    ['another coordinator', { coordinator: home.node }],
    ['other keys of the coordinator', { coordinatorKeys: digestOf('another') }],
    ['other keys of its own', { keySet: digestOf('another') }],
    ['another quote', { quote: digestOf('another') }],
    ['no pool', { pools: [] }],
  ])('a home that signed for %s is found', (_, body) => {
    expect(word({ body })).toEqual(unsigned)
  })

  test('a home that signed for another charge, and one for which another node signed, are found', () => {
    const budget = (body: ReceiptBody): ReceiptBody => ({
      ...body,
      pools: body.pools.map((one) =>
        one.pool === home.pool && one.budget !== null
          ? { ...one, budget: { ...one.budget, after: { ...one.budget.after, head: digestOf('x') } } }
          : one,
      ),
    })
    expect(word({}, budget)).toEqual([...unsigned, 'charges-on-chain'])
    expect(word({ key: new Uint8Array(32).fill(6) })).toEqual(unsigned)
  })

  test('a refusal for another reason, or of another home, is found', () => {
    const refused = (change: HomesWord) =>
      open(
        { result: undefined as never, sealedResult: undefined as never },
        sharedBundle(change, undefined, true),
      )
    expect(refused({ body: { reason: 'POOL_STOPPED' } })).toEqual(expect.arrayContaining(unsigned))
    expect(refused({ body: { charged: true } })).toEqual(expect.arrayContaining(unsigned))
    expect(refused({ key: new Uint8Array(32).fill(6) })).toEqual(expect.arrayContaining(unsigned))
  })

  test('a home that the registry does not list as the receipt names it is found', () => {
    expect(open({ homes: nodeOf({ keySet: digestOf('another') }) })).toEqual(['homes-listed'])
    expect(open({ homes: nodeOf({ revoked: true }) })).toEqual(['homes-listed'])
    expect(open({ homes: nodeOf({ expired: true }) })).toEqual(['homes-listed'])
    expect(open({ homes: { ...homesOnChain, nodes: new Map() } })).toEqual(['homes-listed', 'homes-measured'])
  })

  test('a home that runs what is not allowed, or not what its pool demands, is found', () => {
    expect(open({ homes: nodeOf({ allowed: false }) })).toEqual(['homes-measured'])
    const other = `0x${'7'.repeat(64)}` as const
    expect(open({ homes: poolOf(home.pool, { measurement: other }) })).toEqual(['homes-measured'])
    // What the coordinator's own pool demands is no matter of the other home.
    expect(open({ homes: poolOf(pool.toLowerCase() as Address, { measurement: other }) })).toEqual([])
    expect(open({ homes: nodeOf({ measurement }) })).toEqual([])
  })

  test('a pool whose key on chain is that of another node than signed for it is found', () => {
    expect(open({ homes: poolOf(home.pool, { node: node.keySet.statement.address }) })).toEqual([
      'homes-keys',
    ])
    expect(open({ homes: poolOf(home.pool, { epoch: 2 }) })).toEqual(['homes-keys'])
    expect(open({ homes: { ...homesOnChain, pools: new Map() } })).toContain('homes-keys')
    // A receipt that names no home claims the pool for the node that signed it.
    const alone = sharedBundle({}, ({ homes: _, ...body }) => body)
    expect(open({ shares: [] }, alone)).toEqual(['homes-keys'])
  })

  test('a node that refused without having the key of any pool of the job is found', () => {
    const refused = (homes: JobHomes) => open({ homes }, sharedBundle({}, undefined, true))
    const unopened = ['result', 'sealed-result']
    expect(refused(homesOnChain)).toEqual(unopened)
    const moved = poolOf(home.pool, { node: node.keySet.statement.address })
    expect(refused(moved)).toEqual([...unopened, 'homes-keys'])
  })

  test('another charge or result on chain is found', () => {
    const heads = [...recordedRelease.budgetHeads].reverse()
    expect(open({ released: { ...recordedRelease, budgetHeads: heads.slice(1) } })).toEqual([
      'charges-on-chain',
    ])
    expect(open({ released: { ...recordedRelease, budgetHeads: [digestOf('x'), digestOf('x')] } })).toEqual([
      'charges-on-chain',
    ])
    expect(open({ released: { ...recordedRelease, result: digestOf('x') } })).toEqual(['result-on-chain'])
  })
})
