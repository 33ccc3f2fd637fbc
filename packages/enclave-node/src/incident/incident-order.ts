/**
 * What an operator can order of a running node in an incident. No order leads to data or to a key: they stop work, and give up keys.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import * as z from 'zod'
import { incidentKinds } from './incident-record.js'

const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .transform((text) => text as Address)

/** The form of an order. */
export const incidentOrderSchema = z.discriminatedUnion('order', [
  /** Changes nothing. */
  z.strictObject({ order: z.literal('look') }),
  /** Says in `/v1/ready` and in the audit log what has happened. */
  z.strictObject({ order: z.literal('notice'), kind: z.enum(incidentKinds) }),
  /** Ends all work but reading the chain. */
  z.strictObject({ order: z.literal('stop-work') }),
  /** Gives up a pool's key epoch: the node publishes the next one, and moves what it holds to it. */
  z.strictObject({ order: z.literal('rotate'), pool: address, from: z.int().min(1).max(4_294_967_294) }),
  /** The node works again. */
  z.strictObject({ order: z.literal('end') }),
])

/** An order. */
export type IncidentOrder = z.output<typeof incidentOrderSchema>

/** How the node stands. */
export const incidentStandingSchema = z.strictObject({
  /** Address of the node's statement key. */
  node: address,
  incident: z.nullable(
    z.strictObject({
      kinds: z.array(z.enum(incidentKinds)).min(1),
      openedAt: z.int(),
      stopped: z.boolean(),
      epochs: z.record(z.string(), z.int()),
    }),
  ),
  /** Rounds, jobs and jobs of other nodes that are still under way. */
  underWay: z.int().nonnegative(),
  pools: z.array(
    z.strictObject({
      pool: address,
      /** The epoch of this node's key that stands on the chain; null when another's does, or none. */
      epoch: z.int().nullable(),
      /** Contributions whose headers still name a key that was given up. */
      toRewrap: z.int().nonnegative(),
    }),
  ),
})

/** How the node stands. */
export type IncidentStanding = z.output<typeof incidentStandingSchema>
