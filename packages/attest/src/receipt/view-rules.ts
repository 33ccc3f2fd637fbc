import { list, oneOf, optional, type Reader, record, text } from '../shape/shape.js'
import type { ResultView } from './result-view.js'

/** From least to most; a view of named columns is part of the whole. */
const extents = ['receipt', 'count', 'whole'] as const
type Extent = (typeof extents)[number]

/** The most that recipients may get under a pool's policy. */
export interface ViewRules {
  consumer?: Extent
  others?: Extent
  named?: { address: string; most: Extent }[]
}

const extent = /* @__PURE__ */ oneOf(extents)

/** Reads what a policy says of views. */
export const viewRules: Reader<ViewRules> = /* @__PURE__ */ (() =>
  record<ViewRules>({
    consumer: /* @__PURE__ */ optional(extent),
    others: /* @__PURE__ */ optional(extent),
    named: /* @__PURE__ */ optional(
      /* @__PURE__ */ list(
        /* @__PURE__ */ record<NonNullable<ViewRules['named']>[number]>({
          address: /* @__PURE__ */ text({ pattern: /^0x[0-9a-f]{40}$/, what: 'an address in lower case' }),
          most: extent,
        }),
        { max: 100 },
      ),
    ),
  }))()

/**
 * Whether a policy allows a recipient a view. Where it says nothing, the consumer may get the whole and others the receipt.
 *
 * @param rules - of the policy; undefined: it says nothing of views
 * @param view - what is given
 * @param recipient - other than the consumer, who is undefined
 * @returns true when it does
 */
export function isViewAllowed(
  rules: ViewRules | undefined,
  view: ResultView,
  recipient: string | undefined,
): boolean {
  const named = rules?.named?.find(({ address }) => address === recipient?.toLowerCase())
  const most =
    recipient === undefined ? (rules?.consumer ?? 'whole') : (named?.most ?? rules?.others ?? 'receipt')
  return extents.indexOf(view.kind === 'columns' ? 'whole' : view.kind) <= extents.indexOf(most)
}
