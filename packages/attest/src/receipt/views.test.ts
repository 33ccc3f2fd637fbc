import { digestOf, type JsonObject, sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { bundle, jobParts, seededRandom, signReceipt } from '../testing/fixture.js'
import { commitResult } from './commit-views.js'
import { compareReceipts } from './compare.js'
import type { ReceiptBody, RecipientView } from './receipt.js'
import { verifyReceipt } from './verify.js'

const { body, manifest: plain, policies: plainPolicies } = jobParts()
const [second, third] = [`0x${'d0'.repeat(20)}`, `0x${'e0'.repeat(20)}`] as const
const publicKey = 'A'.repeat(43)
const answer = { columns: [{ name: 'n' }], rows: [[7]], intervals: [[null]] }
const commitment = commitResult({
  answer,
  views: [{ kind: 'whole' }, { kind: 'count' }],
  salt: seededRandom('salt')(32),
})
const copies = { whole: seededRandom('whole')(90), count: seededRandom('count')(60) }
const given: RecipientView[] = [
  { recipient: body.job.consumer, view: { kind: 'whole' }, sealed: sha256Digest(copies.whole) },
  { recipient: second, view: { kind: 'count' }, sealed: sha256Digest(copies.count) },
  { recipient: third, view: { kind: 'receipt' }, sealed: null },
]
const result = (views: RecipientView[] = given) => ({
  digest: commitment.digest,
  sealed: digestOf(views.map(({ sealed }) => sealed)),
  mediaType: 'application/json',
  views,
})
const manifestViews = (change: object = {}): JsonObject => ({
  consumer: { kind: 'whole' },
  others: [
    { address: second, resultKey: { kem: 'x25519', publicKey }, view: { kind: 'count' } },
    { address: third, resultKey: null, view: { kind: 'receipt' } },
  ],
  ...change,
})
const allowing = { others: 'count' }

interface Change {
  readonly views?: JsonObject | null
  readonly result?: ReceiptBody['result']
  /** Of the first pool; the second allows everything. */
  readonly limits?: JsonObject | null
}

/** A receipt of a job with views, with everything that it speaks about. */
function parts({ views = manifestViews(), result: shown = result(), limits = allowing }: Change = {}) {
  const [first, ...rest] = plainPolicies
  const policies = [
    limits === null ? (first ?? {}) : { ...first, views: limits },
    ...rest.map((policy) => ({ ...policy, views: { others: 'whole' } })),
  ]
  const manifest = views === null ? plain : { ...plain, views }
  const signed = signReceipt({
    ...body,
    job: { ...body.job, manifest: digestOf(manifest) },
    pools: body.pools.map((pool, place) => ({ ...pool, policy: digestOf(policies[place] ?? null) })),
    result: shown,
  })
  return {
    ...bundle(),
    policies,
    manifest,
    receipt: signed,
    result: commitment.document({ kind: 'count' }),
    sealedResult: copies.count,
  }
}
const failing = (change: Partial<ReturnType<typeof parts>>, of?: Change) =>
  verifyReceipt({ ...parts(of), ...change })
    .checks.filter(({ result: found }) => found === 'fail')
    .map(({ id }) => id)

describe('a receipt of a result with views', () => {
  it('verifies with the view and the copy of any recipient', () => {
    expect(verifyReceipt(parts()).ok).toBe(true)
    const all = { result: commitment.document({ kind: 'whole' }), sealedResult: copies.whole }
    expect(verifyReceipt({ ...parts(), ...all }).ok).toBe(true)
  })

  it('does not verify with another view, another copy, or the bare answer', () => {
    const changed = new TextDecoder()
      .decode(commitment.document({ kind: 'count' }))
      .replace('"count":1', '"count":2')
    expect(failing({ result: new TextEncoder().encode(changed) })).toEqual(['result'])
    expect(failing({ result: new TextEncoder().encode(JSON.stringify(answer)) })).toEqual(['result'])
    expect(failing({ sealedResult: copies.count.slice(1) })).toEqual(['sealed-result'])
    // Committed to, and given to nobody.
    const [consumer, ...others] = given
    const narrow = [{ ...consumer, view: { kind: 'count' } } as RecipientView, ...others]
    expect(
      failing(
        { result: commitment.document({ kind: 'whole' }), sealedResult: copies.whole },
        { views: manifestViews({ consumer: { kind: 'count' } }), result: result(narrow) },
      ),
    ).toEqual(['result'])
  })

  it('does not bring down what has no views', () => {
    expect(verifyReceipt(bundle()).checks.find(({ id }) => id === 'views')).toMatchObject({
      result: 'pass',
      detail: `${body.job.consumer}: whole`,
    })
  })

  const [one, two, three] = given as [RecipientView, RecipientView, RecipientView]
  it.each<[string, Change]>([
    ['a manifest without views', { views: null }],
    ['a manifest with views, and a receipt without', { result: body.result }],
    [
      'a recipient more than the manifest',
      { result: result([...given, { ...two, recipient: `0x${'f0'.repeat(20)}` }]) },
    ],
    ['a recipient less', { result: result([one, two]) }],
    ['another recipient', { result: result([one, { ...two, recipient: third }, three]) }],
    ['recipients in another order', { result: result([two, one, three]) }],
    [
      'a wider view, also where it is allowed',
      { result: result([one, { ...two, view: { kind: 'whole' } }, three]), limits: { others: 'whole' } },
    ],
    [
      'a manifest with views that are as good as none, and a receipt without',
      { views: manifestViews({ others: [] }), result: body.result },
    ],
    ['a view without a copy', { result: result([one, { ...two, sealed: null }, three]) }],
    ['a copy for nothing but the receipt', { result: result([one, two, { ...three, sealed: one.sealed }]) }],
    ['another digest of the copies', { result: { ...result(), sealed: digestOf('x') } }],
    ['a manifest with an unknown view', { views: manifestViews({ consumer: { kind: 'rows' } }) }],
    ['a policy that allows others nothing', { limits: null }],
    ['a policy that allows others the receipt', { limits: { others: 'receipt' } }],
    [
      'a policy that allows one of them by another key',
      { limits: { named: [{ address: second, publicKey: 'B'.repeat(43), most: 'whole' }] } },
    ],
    [
      'a policy that allows another one by his key',
      { limits: { named: [{ address: third, publicKey, most: 'whole' }] } },
    ],
    [
      'a policy that allows the consumer, and so others, the receipt',
      {
        views: manifestViews({ consumer: { kind: 'receipt' } }),
        result: result([{ ...one, view: { kind: 'receipt' }, sealed: null }, two, three]),
        limits: { others: 'whole', consumer: 'receipt' },
      },
    ],
    ['a policy that allows the consumer a count', { limits: { ...allowing, consumer: 'count' } }],
  ])('fails with %s', (_, change) => {
    const judged = verifyReceipt({ ...parts(change), ...(change.result === body.result ? bundleResult : {}) })
    expect(judged.checks.filter(({ result: found }) => found === 'fail').map(({ id }) => id)).toContain(
      'views',
    )
    expect(judged.ok).toBe(false)
  })

  it('is allowed by name what others are not', () => {
    expect(failing({}, { limits: { named: [{ address: second, publicKey, most: 'count' }] } })).toEqual([])
  })

  it('cannot be read with limits that are not known, and then proves nothing', () => {
    for (const limits of [{ others: 'rows' }, { all: 'whole' }, { named: [{ address: second }] }]) {
      expect(failing({}, { limits: limits as JsonObject })).toContain('policies')
    }
  })

  it('also holds a plain result to what a policy lets the consumer have', () => {
    const [first = {}, ...rest] = plainPolicies
    const policies = [{ ...first, views: { consumer: 'count' } }, ...rest]
    const receipt = signReceipt({
      ...body,
      pools: body.pools.map((pool, place) => ({ ...pool, policy: digestOf(policies[place] ?? null) })),
    })
    const { checks } = verifyReceipt({ ...bundle(), policies, receipt })
    expect(checks.filter(({ result: found }) => found === 'fail').map(({ id }) => id)).toEqual(['views'])
  })

  it('is the same to all recipients, whoever got which copy; another result is a proof against the node', () => {
    const mine = signReceipt({ ...body, result: result() })
    const resealed = given.map((view) => ({
      ...view,
      sealed: view.sealed === null ? null : digestOf('copy'),
    }))
    expect(compareReceipts(mine, signReceipt({ ...body, result: result(resealed) }))).toEqual({
      answer: 'same',
    })
    for (const told of [
      { ...result(), digest: digestOf('another') },
      result([one, { ...two, view: { kind: 'whole' } }, three]),
      body.result,
    ]) {
      expect(compareReceipts(mine, signReceipt({ ...body, result: told }))).toMatchObject({
        answer: 'equivocation',
        differing: ['result'],
      })
    }
  })
})

const { result: plainResult, sealedResult: plainSealed } = bundle()
const bundleResult = { result: plainResult, sealedResult: plainSealed }
