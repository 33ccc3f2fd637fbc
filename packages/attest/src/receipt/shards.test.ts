import { digestOf, type JsonObject } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { bundle } from '../testing/fixture.js'
import { verifyReceipt } from '../with-platform.js'
import type { ReceiptBody } from './receipt.js'

const digest = digestOf('anything')
type Shards = NonNullable<ReceiptBody['shards']>
const nodeOf = (digit: string): `0x${string}` => `0x${digit.repeat(40)}`
const shardOf = (digit: string): Shards[number] => ({ node: nodeOf(digit), keySet: digest, work: digest })
const three = ['a', 'b', 'c'].map(shardOf)
const lost = (shards: Shards): Shards =>
  shards.map((one, index) => (index === 1 ? { ...one, work: null } : one))

/** What is wrong with the outcome of a receipt, and with its form. */
const problems = (shards: Shards, change: (body: ReceiptBody) => ReceiptBody = (body) => body) =>
  verifyReceipt(
    bundle((body) =>
      change({
        ...body,
        shards,
        destroyedKeys: [
          { use: 'hand-off', id: digest },
          { use: 'result', id: body.result?.sealed ?? digest },
        ],
      }),
    ),
  )
    .checks.filter(({ id, result }) => ['outcome', 'receipt-form', 'keys'].includes(id) && result === 'fail')
    .map(({ detail }) => detail)
const refused = (body: ReceiptBody): ReceiptBody => ({
  ...body,
  outcome: 'refused',
  refusal: { code: 'EXECUTION_FAILED', message: 'no' },
  result: null,
  destroyedKeys: [{ use: 'hand-off', id: digest }],
})

/** What is wrong with a receipt beside a manifest with other fields. */
const besideChanged = (change: JsonObject, say: Partial<ReceiptBody> = {}) => {
  const given = bundle()
  const manifest = { ...given.manifest, ...change }
  const { receipt } = bundle((body) => ({
    ...body,
    job: { ...body.job, manifest: digestOf(manifest) },
    ...say,
  }))
  return verifyReceipt({ ...given, receipt, manifest })
    .checks.filter(({ id, result }) => id === 'manifest' && result === 'fail')
    .map(({ detail }) => detail)
}
const handOff = { measurements: [], expiresAt: 1, fallback: 'none' }
/** The same with a manifest that deals the job to so many nodes. */
const besideManifest = (dealt: number | undefined, shards: Shards | undefined) =>
  besideChanged(
    { handOff: { ...handOff, ...(dealt === undefined ? { fallback: 'home' } : { shards: dealt }) } },
    shards === undefined ? {} : { shards },
  )

describe('what a receipt says of shards beside its manifest', () => {
  it.each<[number | undefined, Shards | undefined]>([
    [3, three],
    [undefined, undefined],
  ])('passes where they are as many: %s', (dealt, shards) => {
    expect(besideManifest(dealt, shards)).toEqual([])
  })

  it.each<[number | undefined, Shards | undefined, string]>([
    [4, three, 'to 4 nodes, the receipt names 3'],
    [2, three, 'to 2 nodes, the receipt names 3'],
    [3, undefined, 'to 3 nodes, the receipt names 0'],
    [undefined, three, 'to 0 nodes, the receipt names 3'],
  ])('fails where they are not: %s', (dealt, shards, why) => {
    expect(besideManifest(dealt, shards)).toEqual([expect.stringContaining(why)])
  })

  it.each([0, 1, 2.5])('fails where a job cannot be dealt so: to %s', (dealt) => {
    expect(besideManifest(dealt, undefined)).toEqual([expect.stringContaining('no job manifest')])
  })
})

describe('what a receipt says of another node beside its manifest', () => {
  const another = { handOff: { node: nodeOf('d'), keySet: digest, work: digest } }

  it('passes where the job may be handed off', () => {
    expect(besideChanged({ handOff }, another)).toEqual([])
  })

  it('fails where it may not', () => {
    expect(besideChanged({}, another)).toEqual([expect.stringContaining('no other node')])
  })
})

describe('what a receipt says of shards', () => {
  it('passes where each node had one and gave its share', () => {
    expect(problems(three)).toEqual([])
  })

  it('names the lost one of a refused job', () => {
    expect(problems(lost(three), refused)).toEqual([])
  })

  it('fails in a released job that lacks a share, and names the node', () => {
    expect(problems(lost(three))).toEqual([expect.stringContaining(nodeOf('b'))])
  })

  it.each<[string, Shards, (body: ReceiptBody) => ReceiptBody]>([
    ['one node had two', [...three, { ...shardOf('a'), work: digestOf('other') }], (body) => body],
    [
      'one node had two, in other letters',
      [...three, { ...shardOf('a'), node: nodeOf('A') }],
      (body) => body,
    ],
    ['there is only one', three.slice(0, 1), (body) => body],
    [
      'there are more than a job may have',
      [...'0123456789abcdef'].map(shardOf).concat(shardOf('f')),
      (body) => body,
    ],
    [
      'another node ran it whole as well',
      three,
      (body) => ({ ...body, handOff: { node: nodeOf('d'), keySet: digest, work: digest } }),
    ],
    [
      'its pools have several homes',
      three,
      (body) => ({ ...body, homes: [{ node: nodeOf('d'), keySet: digest, quote: digest, share: digest }] }),
    ],
    [
      'it names no key of what they were given',
      three,
      (body) => ({ ...body, destroyedKeys: body.destroyedKeys?.filter(({ use }) => use === 'result') ?? [] }),
    ],
  ])('fails where %s', (_, shards, change) => {
    expect(problems(shards, change)).toHaveLength(1)
  })
})
