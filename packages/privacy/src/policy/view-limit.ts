import * as z from 'zod'

/**
 * What somebody gets of a result, from least to most: nothing but the receipt, the number of its rows, or all of it. A view of
 * named columns is part of the whole: what a column of an answer is made of, its name does not tell.
 */
export const viewExtents = ['receipt', 'count', 'whole'] as const
/** One of `viewExtents`. */
export type ViewExtent = (typeof viewExtents)[number]

const extentSchema = /* @__PURE__ */ (() => z.enum(viewExtents))()

/** The most that is given of results in which a pool's data is; what is not said is the default. */
export const viewLimitsSchema = /* @__PURE__ */ (() =>
  z
    .strictObject({
      /** To the job's consumer; default: the whole. */
      consumer: z.exactOptional(extentSchema),
      /**
       * To every other recipient; default: the receipt. Never more than to the consumer: whoever writes a manifest can name himself
       * under another address.
       */
      others: z.exactOptional(extentSchema),
      /** To recipients who are known by the key that their view is sealed to: an address alone is nobody's proof. */
      named: z.exactOptional(
        z
          .array(
            z.strictObject({
              address: z.templateLiteral([z.literal('0x'), z.string().regex(/^[0-9a-f]{40}$/)]),
              /** X25519, base64url. */
              publicKey: z
                .string()
                .regex(/^[A-Za-z0-9_-]{43}$/, 'expected 32 bytes in base64url without padding'),
              most: extentSchema,
            }),
          )
          .max(100),
      ),
    })
    .superRefine(({ others, named = [] }, context) => {
      named.forEach(({ address, most }, index) => {
        const issue = (message: string): void => {
          context.addIssue({ code: 'custom', path: ['named', index], message })
        }
        if (named.findIndex((one) => one.address === address) < index)
          issue('an address is listed twice; list each once')
        if (isViewWithin(most, others ?? 'receipt'))
          issue('names give more than what others get; to give less, lower others')
      })
    }))()

/** Limits of views, as a policy has them. */
export type ViewLimits = z.output<typeof viewLimitsSchema>

/** What a restriction leaves of the limits of views; what it does not say it leaves as it is. */
export const viewCapsSchema = /* @__PURE__ */ (() =>
  z.strictObject({
    consumer: z.exactOptional(extentSchema),
    others: z.exactOptional(extentSchema),
    /** Of everybody whom the policy names. */
    named: z.exactOptional(extentSchema),
  }))()

/** Caps of views, as a restriction has them. */
export type ViewCaps = z.output<typeof viewCapsSchema>

/** Who gets a view, other than the consumer. */
export interface ViewRecipient {
  /** Lower case. */
  readonly address: string
  /** What the view is sealed to, base64url; null where nothing is sealed. */
  readonly publicKey: string | null
}

/**
 * The most that a recipient may get under a policy.
 *
 * @param limits - of the policy; undefined: it says nothing of views, so the consumer may get all and others the receipt
 * @param recipient - `consumer`, or somebody else
 * @returns the extent
 */
export function mostOfView(
  limits: ViewLimits | undefined,
  recipient: 'consumer' | ViewRecipient,
): ViewExtent {
  const { consumer = 'whole', others = 'receipt', named = [] } = limits ?? {}
  if (recipient === 'consumer') return consumer
  const own = named.find(
    ({ address, publicKey }) => address === recipient.address && publicKey === recipient.publicKey,
  )
  return own?.most ?? lesser(others, consumer)
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
 * What caps leave of limits.
 *
 * @param limits - of the policy, or what is left of them
 * @param caps - of a restriction
 * @returns for everybody the stricter of both
 */
export function narrowViewLimits(limits: ViewLimits | undefined, caps: ViewCaps): ViewLimits {
  const { consumer = 'whole', others = 'receipt', named = [] } = limits ?? {}
  return {
    consumer: lesser(consumer, caps.consumer ?? 'whole'),
    others: lesser(others, caps.others ?? 'whole'),
    named: named.map((one) => ({ ...one, most: lesser(one.most, caps.named ?? 'whole') })),
  }
}

function lesser(one: ViewExtent, other: ViewExtent): ViewExtent {
  return isViewWithin(one, other) ? one : other
}
