/**
 * Settings of heads that are anchored at other nodes: who remembers how far this node's state had come, and for whom this node does.
 * @module
 */
import type { Address, JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'

const named = z.strictObject({
  /** Statement key. */
  address: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, 'expected 0x and 40 hex digits')
    .transform((text): Address => text.toLowerCase() as Address),
  /** Base address under which it is attested, before anything is said to it. */
  url: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
})

/** A node that the settings name. */
export type NamedNode = z.output<typeof named>

const once = (nodes: readonly NamedNode[]) =>
  new Set(nodes.map(({ address }) => address)).size === nodes.length

/** Heads that are anchored at other nodes; null: this node anchors none there and keeps none. */
export const anchorsSchema = z
  .strictObject({
    /** Who remembers this node's newest head; null: nobody does. */
    peers: z
      .strictObject({
        nodes: z.array(named).min(1).max(16).refine(once, 'a node is listed twice'),
        /**
         * How many of them must have answered before this node does anything, and have taken a charge before its job reads anything. 0: none, and
         * then a host that cuts the node off from all of them has nobody notice an old disk image.
         */
        required: z.int().min(0).max(16),
        /** Longest time between two heads while the state changes, in seconds: what a disk may lose unnoticed. */
        seconds: z.int().min(1).max(86_400).default(60),
      })
      .refine(({ nodes, required }) => required <= nodes.length, {
        path: ['required'],
        message: 'expected not more than there are nodes',
      })
      .nullable()
      .default(null),
    /** Whose heads this node keeps. */
    keeps: z.array(named).max(50).refine(once, 'a node is listed twice').default([]),
  })
  .nullable()
  .default(null)

/** Heads that are anchored at other nodes. */
export type AnchorSettings = z.output<typeof anchorsSchema>

/** @throws NodeError `CONFIG_INVALID` when nodes are named and nothing says which evidence is good enough */
export function requireAnchorPeers({
  anchors,
  peers,
}: {
  readonly anchors: AnchorSettings
  readonly peers: object | null
}): void {
  if (anchors === null || peers !== null) return
  const why = 'nodes that keep heads, or have them kept, are attested first: set peers.evidencePolicy'
  throw new NodeError('CONFIG_INVALID', 'peers', why)
}

/** @returns what is measured of them: who and how many, not where; nothing where there is none, so that it changes no other node's keys */
export function measuredAnchors(anchors: AnchorSettings): JsonObject {
  if (anchors === null) return {}
  const addresses = (nodes: readonly NamedNode[]) => nodes.map(({ address }) => address).sort()
  const { peers, keeps } = anchors
  return {
    anchors: {
      ...(peers === null
        ? {}
        : {
            peers: { nodes: addresses(peers.nodes), required: peers.required, seconds: peers.seconds },
          }),
      ...(keeps.length === 0 ? {} : { keeps: addresses(keeps) }),
    },
  }
}
