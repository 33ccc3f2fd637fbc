import { digestOf, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import { list, nullable, optional, record, schema, text } from '../shape/shape.js'
import { type CheckAnswer, fail, pass } from '../verdict/check-list.js'
import { readResultView } from './commit-views.js'
import type { PoolRules } from './documents.js'
import type { ReceiptBody } from './receipt.js'
import { isSameView, type ResultView, resultView } from './result-view.js'
import { isViewAllowed } from './view-rules.js'

interface ManifestViews {
  consumer: { address: string }
  views?: { consumer: ResultView; others: OtherRecipient[] }
}

interface OtherRecipient {
  address: string
  resultKey: { publicKey: string } | null
  view: ResultView
}

const addressText = /* @__PURE__ */ text({ pattern: /^0x[0-9a-fA-F]{40}$/, what: 'an address' })
const manifestViews = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'manifest',
    'Not a job manifest',
    /* @__PURE__ */ record<ManifestViews>(
      {
        consumer: /* @__PURE__ */ record<{ address: string }>({ address: addressText }, 'drop'),
        views: /* @__PURE__ */ optional(
          /* @__PURE__ */ record<NonNullable<ManifestViews['views']>>({
            consumer: resultView,
            others: /* @__PURE__ */ list(
              /* @__PURE__ */ record<OtherRecipient>({
                address: addressText,
                resultKey: /* @__PURE__ */ nullable(
                  /* @__PURE__ */ record<{ publicKey: string }>({ publicKey: text() }, 'drop'),
                ),
                view: resultView,
              }),
              { max: 15 },
            ),
          }),
        ),
      },
      'drop',
    ),
  ))()

/**
 * Whether each recipient got the view that the manifest says, and nobody more than a pool's policy allows. What restrictions have
 * narrowed since is not in the policies.
 *
 * @param receipt - what the receipt says
 * @param manifest - of the job, its digest already checked
 * @param rules - of the job's pools
 * @returns the answer
 */
export function viewsAnswer(
  { job, result }: ReceiptBody,
  manifest: JsonValue | undefined,
  rules: readonly Pick<PoolRules, 'name' | 'views'>[],
): CheckAnswer {
  if (result === null) return pass('A refusal has no result.')
  const asked = manifestViews.safeParse(manifest)
  if (!asked.success) return fail('the manifest does not say who gets what')
  const whole = { kind: 'whole' } as const
  const { consumer, views } = asked.data
  const { address } = consumer
  const { others = [] } = views ?? {}
  const expected = [{ address, view: views?.consumer ?? whole }, ...others]
  const given = result.views ?? [{ recipient: job.consumer, view: whole }]
  const agree =
    (views === undefined) === (result.views === undefined) &&
    expected.length === given.length &&
    given.every(({ recipient, view }, index) => {
      const one = expected[index]
      return one?.address.toLowerCase() === recipient.toLowerCase() && isSameView(one.view, view)
    })
  if (!agree) return fail('the receipt names other recipients or views than the manifest')
  const copies = result.views?.map(({ sealed }) => sealed)
  const complete = result.views?.every(({ view, sealed }) => (sealed === null) === (view.kind === 'receipt'))
  if (complete === false || (copies !== undefined && result.sealed !== digestOf(copies)))
    return fail('the sealed copies are not those of the views')
  for (const { name, views: limits } of rules) {
    const beyond = given.find(({ recipient, view }, index) => {
      const other = { address: recipient.toLowerCase(), publicKey: others[index - 1]?.resultKey?.publicKey }
      return !isViewAllowed(limits, view, index > 0 ? other : undefined)
    })
    if (beyond !== undefined) return fail(`pool ${name} does not allow what ${beyond.recipient} got`)
  }
  return pass(given.map(({ recipient, view }) => `${recipient}: ${view.kind}`).join(', '))
}

/**
 * Whether opened bytes are the result that the receipt names, or a view of it that somebody got.
 *
 * @param result - of the receipt
 * @param bytes - as a recipient opened them
 * @returns true when they are
 */
export function isResultOf(result: NonNullable<ReceiptBody['result']>, bytes: Uint8Array): boolean {
  if (result.views === undefined) return sha256Digest(bytes) === result.digest
  try {
    const { view } = readResultView(bytes, result.digest)
    return result.views.some((one) => isSameView(one.view, view))
  } catch (error) {
    if (error instanceof AttestError) return false
    throw error
  }
}

/**
 * Whether sealed bytes are the sealed result that the receipt names, or a recipient's copy of its view.
 *
 * @param result - of the receipt
 * @param bytes - as a recipient got them
 * @returns true when they are
 */
export function isSealedOf(result: NonNullable<ReceiptBody['result']>, bytes: Uint8Array): boolean {
  const digest = sha256Digest(bytes)
  return result.views === undefined
    ? digest === result.sealed
    : result.views.some(({ sealed }) => sealed === digest)
}
