/**
 * Settings of jobs over pools of several home nodes.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { digestOf, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'

/** With whom this node answers jobs over pools of several homes; null: with nobody. */
export const federationSchema = z
  .strictObject({
    /** Base addresses of the other homes. Each is attested before anything is said to it. */
    nodes: z
      .array(z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')))
      .min(1)
      .max(50),
    /** Pools of the other homes: what is planned over them. Each policy's digest must be the one on the chain. */
    pools: z
      .array(
        z.strictObject({
          address: z
            .string()
            .regex(/^0x[0-9a-fA-F]{40}$/, 'expected 0x and 40 hex digits')
            .transform((text): Address => text.toLowerCase() as Address),
          policy: z.record(z.string(), z.json()),
        }),
      )
      .min(1)
      .max(100),
    /** Seconds for which a job waits for a home that is silent; then it is refused. */
    patienceSeconds: z.int().min(1).max(86_400).default(600),
  })
  .nullable()
  .default(null)

/** What a node's settings say of its federation. */
export type FederationSettings = z.output<typeof federationSchema>

/** @throws NodeError `CONFIG_INVALID` when a pool is listed twice: here, there, or both */
export function requireEachPoolOnce({
  pools,
  federation,
}: {
  readonly pools: readonly { readonly address: Address }[]
  readonly federation: FederationSettings
}): void {
  const seen = new Set<string>()
  for (const { address: pool } of pools) {
    if (seen.has(pool)) {
      throw new NodeError('CONFIG_INVALID', `pools ${pool}`, 'a pool is listed twice; list it once')
    }
    seen.add(pool)
  }
  for (const { address } of federation?.pools ?? []) {
    if (seen.has(address)) {
      const why = 'a pool is served here or there, and listed once; take it out of one list'
      throw new NodeError('CONFIG_INVALID', `federation.pools ${address}`, why)
    }
    seen.add(address)
  }
}

/**
 * Without anchors a disk that was put back gives other noise over shares that other homes have charged once.
 * @throws NodeError `CONFIG_INVALID` when charges of jobs over pools of several homes would not be anchored on the chain
 */
export function requireFederationAnchors({
  chain,
  federation,
}: {
  readonly chain: { readonly anchors: Address | null }
  readonly federation: FederationSettings
}): void {
  if (federation === null || chain.anchors !== null) return
  const why = 'a home that answers together with others anchors its charges; set chain.anchors'
  throw new NodeError('CONFIG_INVALID', 'federation', why)
}

/** @returns what is measured of them; nothing where there is none, so that it changes no other node's keys */
export function measuredFederation(federation: FederationSettings) {
  if (federation === null) return {}
  const pools = federation.pools
    .map(({ address, policy }) => ({ address, policy: digestOf(policy as JsonValue) }))
    .sort((a, b) => (a.address < b.address ? -1 : 1))
  return { federation: { nodes: federation.nodes, pools } }
}
