import * as z from 'zod'

/**
 * What somebody gets of a result, from least to most: nothing but the receipt, the number of its rows, or all of it. A view of
 * named columns is part of the whole: what a column of an answer is made of, its name does not tell.
 */
export const viewExtents = ['receipt', 'count', 'whole'] as const
/** One of {@link viewExtents}. */
export type ViewExtent = (typeof viewExtents)[number]

const extentSchema = /* @__PURE__ */ (() => z.enum(viewExtents))()

/** The most that is given of results in which a pool's data is; what is not said is the default. */
export const viewLimitsSchema = /* @__PURE__ */ (() =>
  z.strictObject({
    /** To the job's consumer; default: the whole. */
    consumer: z.exactOptional(extentSchema),
    /** To every other recipient; default: the receipt. */
    others: z.exactOptional(extentSchema),
    /** To other recipients by name, instead of `others`. */
    named: z.exactOptional(
      z
        .array(
          z.strictObject({
            address: z.templateLiteral([z.literal('0x'), z.string().regex(/^[0-9a-f]{40}$/)]),
            most: extentSchema,
          }),
        )
        .max(100)
        .refine((named) => new Set(named.map(({ address }) => address)).size === named.length, {
          message: 'an address is listed twice; list each once',
        }),
    ),
  }))()

/** Limits of views, as a policy or a restriction has them. */
export type ViewLimits = z.output<typeof viewLimitsSchema>

/**
 * The most that a recipient may get under a policy.
 *
 * @param limits - of the policy; undefined: it says nothing of views, so the consumer may get all and others the receipt
 * @param recipient - `consumer`, or the address of another recipient in lower case
 * @returns the extent
 */
export function mostOfView(limits: ViewLimits | undefined, recipient: string): ViewExtent {
  return extentOf(limits ?? {}, recipient, 'receipt')
}

/**
 * Whether a view is within an extent.
 *
 * @param kind - what is asked for: a kind of view as a job's manifest has it; one that is not known is within none
 * @param most - what is allowed
 * @returns true when the view shows no more
 */
export function isViewWithin(kind: string, most: ViewExtent): boolean {
  const order: readonly string[] = viewExtents
  const place = order.indexOf(kind === 'columns' ? 'whole' : kind)
  return place >= 0 && place <= order.indexOf(most)
}

/**
 * Limits of which a recipient may get what both allow.
 *
 * @param limits - of the policy, or what is left of them
 * @param more - of a restriction; what it does not say it leaves as it is
 * @returns the stricter of both for everybody
 */
export function narrowViewLimits(limits: ViewLimits | undefined, more: ViewLimits): ViewLimits {
  const both = (recipient: string): ViewExtent => {
    const [one, other] = [mostOfView(limits, recipient), extentOf(more, recipient, 'whole')]
    return isViewWithin(one, other) ? one : other
  }
  const names = [...(limits?.named ?? []), ...(more.named ?? [])].map(({ address }) => address)
  // No name of a recipient is empty: nobody is meant but those whom no list names.
  return {
    consumer: both('consumer'),
    others: both(''),
    named: [...new Set(names)].map((address) => ({ address, most: both(address) })),
  }
}

function extentOf(
  { consumer, others, named }: ViewLimits,
  recipient: string,
  unsaid: ViewExtent,
): ViewExtent {
  if (recipient === 'consumer') return consumer ?? 'whole'
  return named?.find(({ address }) => address === recipient)?.most ?? others ?? unsaid
}
