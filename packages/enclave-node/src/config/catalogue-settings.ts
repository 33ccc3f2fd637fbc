/**
 * Settings of the catalogue.
 * @module
 */
import * as z from 'zod'
import { NodeError } from '../errors.js'

/** Whose pools a node lists besides its own. Other nodes are attested as `peers` says, and each signs for its own pools. */
export const catalogueSettings = z
  .strictObject({
    nodes: z
      .array(z.url({ protocol: /^https?$/ }))
      .max(100)
      .default([]),
    refreshSeconds: z.int().min(1).max(1_800).default(60),
    /** More entries than these are not kept. */
    maximumEntries: z.int().min(1).max(100_000).default(20_000),
  })
  .prefault({})

/** @throws NodeError `CONFIG_INVALID` when nodes are listed and nothing says which evidence is good enough */
export function requirePeerRules({
  catalogue,
  peers,
}: {
  readonly catalogue: z.output<typeof catalogueSettings>
  readonly peers: object | null
}): void {
  if (catalogue.nodes.length === 0 || peers !== null) return
  const why = 'nodes of the catalogue are attested first: set peers.evidencePolicy'
  throw new NodeError('CONFIG_INVALID', 'peers', why)
}
