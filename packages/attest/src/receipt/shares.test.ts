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
function signShare(change: JsonObject = {}, type = 'sealpool/share', chainId: number = deployment.chainId) {
  return signStatement({
    statement: { type, version: 1, body: { ...shareBody, ...change } },
    context: {
      ...deployment,
      chainId,
      pool: theirs?.pool ?? '0x',
      subject: `0x${'00'.repeat(31)}07`,
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
    expect(judge([])).toMatchObject(failing(/names 1 shares, not 0/))
    expect(judge([good], [])).toMatchObject(failing(/names 0 shares, not 1/))
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
    ['for another chain', signShare({}, 'sealpool/share', 1), /another chain/],
  ])('a share %s is found', (_, share, why) => {
    expect(judge([share], [nameOf(share)])).toMatchObject(failing(why))
  })

  it('are bound to the digests and the node that the receipt names', () => {
    expect(judge([signShare({ job: '8' })])).toMatchObject(failing(/another one/))
    expect(judge([good], [{ ...nameOf(good), node }])).toMatchObject(failing(/not signed by it/))
    expect(judge([{}])).toMatchObject({ result: 'fail' })
    expect(judge(['x'])).toMatchObject({ result: 'fail' })
  })

  it('are read from a bundle', () => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    const files = bundleFiles()
    expect(parseReceiptBundle({ ...files, 'shares.json': bytes('[]') }).shares).toEqual([])
    expect(parseReceiptBundle(files).shares).toBeUndefined()
    expect(() => parseReceiptBundle({ ...files, 'shares.json': bytes('{}') })).toThrow(/list/)
  })
})
