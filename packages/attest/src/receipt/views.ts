import { type Digest, digestOf, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import { list, optional, record, schema, text } from '../shape/shape.js'
import { type CheckAnswer, fail, pass } from '../verdict/check-list.js'
import { readResultView } from './commit-views.js'
import type { PoolRules } from './documents.js'
import type { ReceiptBody, RecipientView } from './receipt.js'
import { isSameView, type ResultView, resultView } from './result-view.js'
import { isViewAllowed } from './view-rules.js'

interface ManifestViews {
  consumer: { address: string }
  views?: { consumer: ResultView; others: { address: string; view: ResultView }[] }
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
              /* @__PURE__ */ record<{ address: string; view: ResultView }>(
                { address: addressText, view: resultView },
                'drop',
              ),
              { max: 15 },
            ),
          }),
        ),
      },
      'drop',
    ),
  ))()

/** Who got what of a released result; the consumer alone, and the whole, where the receipt names no views. */
function recipientsOf({ job, result }: ReceiptBody): readonly Pick<RecipientView, 'recipient' | 'view'>[] {
  return result?.views ?? [{ recipient: job.consumer, view: { kind: 'whole' } }]
}

/**
 * Whether each recipient got the view that the manifest says, and nobody more than a pool's policy allows. What restrictions have
 * narrowed since is not in the policies.
 *
 * @param body - what the receipt says
 * @param manifest - of the job, its digest already checked
 * @param rules - of the job's pools
 * @returns the answer
 */
export function viewsAnswer(
  body: ReceiptBody,
  manifest: JsonValue | undefined,
  rules: readonly Pick<PoolRules, 'name' | 'views'>[],
): CheckAnswer {
  const { result } = body
  if (result === null) return pass('A refusal has no result.')
  const asked = manifestViews.safeParse(manifest)
  if (!asked.success) return fail('the manifest does not say who gets what')
  const { consumer, views } = asked.data
  const given = recipientsOf(body)
  if ((views === undefined) !== (result.views === undefined))
    return fail('of manifest and receipt only one has views')
  const expected = [
    { recipient: consumer.address, view: views?.consumer ?? { kind: 'whole' as const } },
    ...(views?.others ?? []).map(({ address, view }) => ({ recipient: address, view })),
  ]
  const agree =
    expected.length === given.length &&
    expected.every(({ recipient, view }, index) => {
      const one = given[index]
      return one?.recipient.toLowerCase() === recipient.toLowerCase() && isSameView(one.view, view)
    })
  if (!agree) return fail('the receipt names other recipients or views than the manifest')
  const copies = result.views?.map(({ sealed }) => sealed)
  if (copies !== undefined && result.sealed !== digestOf(copies))
    return fail('the digest of the sealed copies is another one')
  if (result.views?.some(({ view, sealed }) => (sealed === null) !== (view.kind === 'receipt')))
    return fail('a recipient of a view got no copy, or one of nothing but the receipt did')
  for (const { name, views: limits } of rules) {
    const beyond = given.find(
      ({ recipient, view }, index) => !isViewAllowed(limits, view, index === 0 ? undefined : recipient),
    )
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
  const digest: Digest = sha256Digest(bytes)
  return result.views === undefined
    ? digest === result.sealed
    : result.views.some(({ sealed }) => sealed === digest)
}
