import { digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { jobParts, poolPolicy } from '../testing/fixture.js'
import { manifestProblem, parsePoolRules } from './documents.js'
import type { ReceiptBody } from './receipt.js'

const { body, manifest } = jobParts()
const pools = body.pools.map(({ pool }) => pool)
const [one = '0x', other = '0x'] = pools
const upper = (address: string) => `0x${address.slice(2).toUpperCase()}` as const
const refused: ReceiptBody = {
  ...body,
  outcome: 'refused',
  refusal: { code: 'MANIFEST_INVALID', message: 'no' },
  result: null,
}
const poolsOf = (...addresses: readonly string[]) => ({
  pools: addresses.map((address) => ({ address, name: 'any' })),
})
const problem = (change: JsonObject, receipt = body) => manifestProblem({ ...manifest, ...change }, receipt)

describe('a receipt beside its manifest', () => {
  it('agrees with it in whatever letters and order addresses are written', () => {
    expect(problem({})).toBeUndefined()
    expect(problem({ consumer: { address: upper(body.job.consumer) } })).toBeUndefined()
    expect(problem({}, { ...body, job: { ...body.job, consumer: upper(body.job.consumer) } })).toBeUndefined()
    expect(problem(poolsOf(upper(other), upper(one)))).toBeUndefined()
    const theirs = [...body.pools].reverse().map((pool) => ({ ...pool, pool: upper(pool.pool) }))
    expect(problem({}, { ...body, pools: theirs })).toBeUndefined()
  })

  it.each<[string, JsonObject, RegExp]>([
    ['is of another kind', { kind: 'compute' }, /of a compute job/],
    ['is of another consumer', { consumer: { address: one } }, /another consumer/],
    ['has a pool less', poolsOf(one), /other pools/],
    ['has one pool twice', poolsOf(one, one), /other pools/],
    ['has a pool more', poolsOf(...pools, body.job.consumer), /other pools/],
    ['is of a kind that there is not', { kind: 'other' }, /no job manifest/],
    ['has no pools', { pools: null }, /no job manifest/],
  ])('differs from one that %s', (_, change, why) => {
    expect(problem(change)).toMatch(why)
  })

  it('may let the home run the job itself, or not', () => {
    const handOff = (fallback: string) => ({ handOff: { measurements: [], expiresAt: 1, fallback } })
    expect(problem(handOff('home'))).toBeUndefined()
    expect(problem(handOff('none'))).toMatch(/names none/)
    const { node, keySet, quote: work } = { ...body, node: one }
    expect(problem(handOff('none'), { ...body, handOff: { node, keySet, work } })).toBeUndefined()
    expect(problem(handOff('none'), refused)).toBeUndefined()
  })

  it('of a refusal may be of a malformed one, or of other pools than it got to', () => {
    for (const malformed of [null, 'text', [], {}] as JsonValue[])
      expect(manifestProblem(malformed, refused)).toBeUndefined()
    expect(problem({}, { ...refused, pools: [] })).toBeUndefined()
    const another = { handOff: { measurements: [], expiresAt: 1, fallback: 'none', shards: 4 } }
    expect(problem(another, refused)).toBeUndefined()
  })

  it('of a refusal is still of its kind and consumer', () => {
    expect(problem({ kind: 'compute' }, refused)).toMatch(/of a compute job/)
    expect(problem({ consumer: { address: one } }, refused)).toMatch(/another consumer/)
  })
})

describe('the rules of a policy', () => {
  it('are those of the pool that has its name', () => {
    expect(parsePoolRules(poolPolicy('pay'), 'pay')).toMatchObject({ name: 'pay', access: undefined })
    expect(() => parsePoolRules(poolPolicy('pay'), 'people')).toThrow(
      expect.objectContaining({ code: 'BAD_RECEIPT', place: 'policy.name' }),
    )
  })

  it('name the digest of the access rules', () => {
    const access = { rule: 'anybody' }
    expect(parsePoolRules({ ...poolPolicy('pay'), access }, 'pay').access).toBe(digestOf(access))
  })

  it.each<JsonValue | undefined>([
    undefined,
    null,
    'text',
    [],
    {},
    { ...poolPolicy('pay'), format: 'other' },
  ])('are in no other document: %j', (policy) => {
    expect(() => parsePoolRules(policy, 'pay')).toThrow(expect.objectContaining({ code: 'BAD_RECEIPT' }))
  })

  it.each<JsonValue>([null, 'text', []])('have objects where these are wanted, not %j', (other) => {
    for (const name of ['attestation', 'access'])
      expect(() => parsePoolRules({ ...poolPolicy('pay'), [name]: other }, 'pay')).toThrow(
        expect.objectContaining({ code: 'BAD_RECEIPT' }),
      )
  })
})
