/**
 * Settings of a node that is a member of committees: whose roots it gives parts of, and to whom it hands its shares on.
 * @module
 */
import { digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { digestSchema } from './digest-schema.js'

/** A root secret, sealed to a committee, base64url. */
export const sealedRootSchema = z.string().regex(/^[A-Za-z0-9_-]{100,10000}$/)

/** Roots of other nodes of which this one gives parts; null: it is a member of no committee. */
export const committeeSchema = z
  .strictObject({
    roots: z
      .array(
        z.strictObject({
          /** What `sealpool-node committee conclude` has written. */
          committee: z.record(z.string(), z.json()),
          envelope: sealedRootSchema,
          /** Digests of the measured settings (`sealpool-node measure`) of the nodes that may have it. */
          configs: z.array(digestSchema).min(1).max(100),
        }),
      )
      .min(1)
      .max(20),
    /** Digests of the sessions in which this node hands its shares on to other members. */
    reshares: z.array(digestSchema).max(20).default([]),
  })
  .nullable()
  .default(null)

/**
 * What of these settings is measured: nothing for a node without them, and nothing of `reshares` where there are none, so that nodes have
 * the digests that they always had.
 */
export function measuredCommittee(committee: z.output<typeof committeeSchema>): JsonObject {
  if (committee === null) return {}
  return {
    committee: committee.roots.map((root) => ({
      committee: digestOf(root.committee as JsonValue),
      envelope: root.envelope,
      configs: [...root.configs].sort(),
    })),
    ...(committee.reshares.length === 0 ? {} : { reshares: [...committee.reshares].sort() }),
  }
}
