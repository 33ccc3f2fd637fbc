import { type JsonObject, type SignedStatement, signStatement, statementDigest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { bundle, bundleFiles, deployment, jobParts, signReceipt } from '../testing/fixture.js'
import { parseReceiptBundle } from './bundle.js'
import type { ReceiptBody } from './receipt.js'
import { verifyReceipt } from './verify.js'

const homeKey = new Uint8Array(32).fill(5)
const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const
const { body } = jobParts()
const [, theirs] = body.pools
if (theirs === undefined) throw new Error('the job has two pools')
const node = signReceipt(body).signer

/** What the home of the second pool signs for. */
const shareBody = {
  job: body.job.id,
  manifest: body.job.manifest,
  plan: body.plan,
  coordinator: node,
  coordinatorKeys: body.keySet,
  pools: [theirs],
  keySet: digest('1'),
  quote: digest('2'),
} as unknown as JsonObject
function signShare(
  change: JsonObject = {},
  type = 'sealpool/share',
  context: { readonly chainId?: number; readonly subject?: `0x${string}` } = {},
) {
  return signStatement({
    statement: { type, version: 1, body: { ...shareBody, ...change } },
    context: {
      ...deployment,
      pool: theirs?.pool ?? '0x',
      subject: `0x${'00'.repeat(31)}07`,
      ...context,
      nonce: '0',
      facts: [],
    },
    privateKey: homeKey,
  })
}
const good = signShare()
const nameOf = (share: SignedStatement) => ({
  node: good.signer,
  keySet: digest('1'),
  quote: digest('2'),
  share: statementDigest(share.statement),
})
/** The check of charges, when the receipt names these homes and these shares are given. */
function judge(
  shares: readonly unknown[] | undefined,
  homes: ReceiptBody['homes'] | undefined = [nameOf(good)],
  change: Partial<ReceiptBody> = {},
) {
  const receipt = signReceipt({ ...body, ...(homes === undefined ? {} : { homes }), ...change })
  const { checks } = verifyReceipt({ ...bundle(), receipt, ...(shares === undefined ? {} : { shares }) })
  return checks.find(({ id }) => id === 'charge')
}
const failing = (why: RegExp) => ({ result: 'fail', detail: expect.stringMatching(why) })

describe('shares of other homes', () => {
  it('are held against the receipt when they are given', () => {
    expect(judge([good])).toMatchObject({ result: 'pass' })
    expect(judge(undefined)).toMatchObject({ result: 'pass' })
    expect(judge([])).toMatchObject(failing(/names 1 shares and refusals of homes, not 0/))
    expect(judge([good], [])).toMatchObject(failing(/names 0 shares and refusals of homes, not 1/))
  })

  it.each<[string, SignedStatement, RegExp]>([
    ['of another job', signShare({ job: '8' }), /another job/],
    ['of another manifest', signShare({ manifest: digest('3') }), /another job/],
    ['of another plan', signShare({ plan: digest('3') }), /another job/],
    ['for another node', signShare({ coordinator: good.signer }), /another job/],
    ['for other keys', signShare({ coordinatorKeys: digest('3') }), /another job/],
    ['under other keys of its own', signShare({ keySet: digest('3') }), /another job/],
    ['of another quote', signShare({ quote: digest('3') }), /another job/],
    ['of no pool', signShare({ pools: [] }), /names no pool/],
    ['of another charge', signShare({ pools: [{ ...theirs, budget: null }] }), /something else of pool/],
    ['of one pool twice', signShare({ pools: [theirs, theirs] as never }), /something else of pool/],
    ['of every pool', signShare({ pools: body.pools as never }), /no pool is left/],
    ['that is another statement', signShare({}, 'sealpool/work'), /not signed by it/],
    ['for another chain', signShare({}, 'sealpool/share', { chainId: 1 }), /another chain/],
    [
      'signed under the number of another job',
      signShare({}, 'sealpool/share', { subject: `0x${'00'.repeat(31)}08` }),
      /another job/,
    ],
  ])('a share %s is found', (_, share, why) => {
    expect(judge([share], [nameOf(share)])).toMatchObject(failing(why))
  })

  it('are bound to the digests and the node that the receipt names', () => {
    expect(judge([signShare({ job: '8' })])).toMatchObject(failing(/another one/))
    expect(judge([good], [{ ...nameOf(good), node }])).toMatchObject(failing(/not signed by it/))
    expect(judge([{}])).toMatchObject({ result: 'fail' })
    expect(judge(['x'])).toMatchObject({ result: 'fail' })
    const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as JsonObject[string]
    expect(judge([{ ...good, statement: { ...good.statement, body: { deep } } }])).toMatchObject({
      result: 'fail',
    })
  })

  const refusalBody = {
    job: body.job.id,
    manifest: body.job.manifest,
    plan: body.plan,
    coordinator: node,
    reason: 'BUDGET_EXHAUSTED',
    charged: false,
    keySet: digest('1'),
    quote: digest('2'),
    // What a share has and a refusal has not.
    coordinatorKeys: null,
    pools: null,
  }
  const refusal = (change: JsonObject = {}, type = 'sealpool/share-refusal') =>
    signShare({ ...refusalBody, ...change }, type)
  /** What fails of a receipt that says that a home refused. */
  function refusedBy(
    signed: SignedStatement,
    change: object = {},
    outcome: Partial<ReceiptBody> = {
      outcome: 'refused',
      refusal: { code: 'BUDGET_EXHAUSTED', message: 'x' },
      result: null,
      pools: body.pools.map((pool) => ({ ...pool, budget: null })),
    },
  ) {
    const said = {
      node: good.signer,
      keySet: digest('1'),
      quote: digest('2'),
      reason: 'BUDGET_EXHAUSTED',
      charged: false,
      refusal: statementDigest(signed.statement),
      ...change,
    }
    const receipt = signReceipt({ ...body, ...outcome, refusedBy: said })
    const { checks } = verifyReceipt({ ...bundle(), receipt, shares: [signed] })
    return checks.flatMap(({ id, result, detail }) =>
      result === 'fail' && (id === 'charge' || id === 'outcome') ? [`${id}: ${detail}`] : [],
    )
  }

  it('and the refusal of one are held against the receipt', () => {
    expect(refusedBy(refusal())).toEqual([])
  })

  it.each<[string, SignedStatement, object, RegExp]>([
    ['of another job', refusal({ job: '8' }), {}, /another job/],
    ['of another manifest', refusal({ manifest: digest('3') }), {}, /another job/],
    ['of another plan', refusal({ plan: digest('3') }), {}, /another job/],
    ['to another node', refusal({ coordinator: good.signer }), {}, /another job/],
    ['under other keys', refusal({ keySet: digest('3') }), {}, /another job/],
    ['for another reason', refusal({ reason: 'POOL_STOPPED' }), {}, /something else of why/],
    ['after a charge', refusal({ charged: true }), {}, /something else of why/],
    ['that is a share', refusal({}, 'sealpool/share'), {}, /not signed by it/],
    ['of another node', refusal(), { node }, /not signed by it/],
    ['that is another one', refusal(), { refusal: digest('3') }, /another one/],
  ])('a refusal %s is found', (_, signed, change, why) => {
    expect(refusedBy(signed, change)).toEqual([expect.stringMatching(why)])
  })

  it('a home that refused is in no released job, and was not silent', () => {
    expect(refusedBy(refusal(), {}, {})).toContainEqual(
      expect.stringMatching(/^outcome: .*carries a refusal/),
    )
    const silent = {
      refusal: { code: 'HOME_SILENT', message: 'x' },
      outcome: 'refused',
      result: null,
    } as const
    expect(refusedBy(refusal(), {}, silent)).toContainEqual(expect.stringMatching(/did not keep silent/))
  })

  it('are read from a bundle', () => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    const files = bundleFiles()
    expect(parseReceiptBundle({ ...files, 'shares.json': bytes('[]') }).shares).toEqual([])
    expect(parseReceiptBundle(files).shares).toBeUndefined()
    expect(() => parseReceiptBundle({ ...files, 'shares.json': bytes('{}') })).toThrow(/list/)
  })
})
