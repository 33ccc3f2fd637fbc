import { list, oneOf, optional, type Reader, record, text } from '../shape/shape.js'
import type { ResultView } from './result-view.js'

/** From least to most; a view of named columns is part of the whole. */
const extents = ['receipt', 'count', 'whole'] as const
type Extent = (typeof extents)[number]

/** The most that recipients may get under a pool's policy. */
export interface ViewRules {
  consumer?: Extent
  others?: Extent
  named?: { address: string; publicKey: string; most: Extent }[]
}

const extent = /* @__PURE__ */ oneOf(extents)
const anyText = /* @__PURE__ */ text({ max: 100 })

/** Reads what a policy says of views. */
export const viewRules: Reader<ViewRules> = /* @__PURE__ */ (() =>
  record<ViewRules>({
    consumer: /* @__PURE__ */ optional(extent),
    others: /* @__PURE__ */ optional(extent),
    named: /* @__PURE__ */ optional(
      /* @__PURE__ */ list(
        /* @__PURE__ */ record<NonNullable<ViewRules['named']>[number]>({
          address: anyText,
          publicKey: anyText,
          most: extent,
        }),
        { max: 100 },
      ),
    ),
  }))()

/**
 * Whether a policy allows a recipient a view. Where it says nothing, the consumer may get the whole and others the receipt; others never
 * more than the consumer, and a name counts with its key alone.
 *
 * @param rules - of the policy; undefined: it says nothing of views
 * @param view - what is given
 * @param recipient - other than the consumer, who is undefined; in lower case, with the key that his view is sealed to
 * @returns true when it does
 */
export function isViewAllowed(
  rules: ViewRules | undefined,
  view: ResultView,
  recipient: { readonly address: string; readonly publicKey: string | undefined } | undefined,
): boolean {
  const { consumer = 'whole', others = 'receipt', named = [] } = rules ?? {}
  const order = (of: Extent) => extents.indexOf(of)
  const own = named.find(
    ({ address, publicKey }) => address === recipient?.address && publicKey === recipient.publicKey,
  )
  const most =
    recipient === undefined
      ? order(consumer)
      : own === undefined
        ? Math.min(order(others), order(consumer))
        : order(own.most)
  return order(view.kind === 'columns' ? 'whole' : view.kind) <= most
}
