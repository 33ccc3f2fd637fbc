/**
 * Settings of jobs that run on another node than the one that keeps their pools.
 * @module
 */
import { AttestError } from '@sealpool/attest'
import { type PlatformPolicy, parseNodeGpuPolicy } from '@sealpool/attest/platform-evidence'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { AnchorSettings } from './anchor-settings.js'

/** Keys are public: those of NVIDIA's service as its JWKS lists them. */
const serviceKeySchema = z.object({
  kty: z.string().max(20),
  crv: z.exactOptional(z.string().max(20)),
  kid: z.exactOptional(z.string().max(200)),
  x: z.exactOptional(z.string().max(100)),
  y: z.exactOptional(z.string().max(100)),
})

const gpuRulesSchema = z.strictObject({
  /** A platform policy with `dstack`, `nvidiaToken` and `gpu`. Of a `hardware` without measurements the chain alone says which code may run. */
  policy: z.unknown().transform((value, context): PlatformPolicy => {
    try {
      return parseNodeGpuPolicy(value)
    } catch (error) {
      if (!(error instanceof AttestError)) throw error
      context.addIssue({ code: 'custom', message: `expected a platform policy for GPUs: ${error.message}` })
      return z.NEVER
    }
  }),
  keys: z.array(serviceKeySchema).min(1).max(64),
})

/** Who may run jobs of this node's pools, as far as a job's manifest says so; null: nobody else. */
export const handOffSchema = z
  .strictObject({
    /** Base addresses of attested nodes, in the order in which they are tried. */
    nodes: z
      .array(z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')))
      .min(1)
      .max(20),
    /** Seconds for which a node that has begun may be silent before the next one is tried. */
    patienceSeconds: z.int().min(1).max(86_400).default(600),
    /** Seconds after which a node that has begun, and still has no answer, loses its turn to another one. */
    turnSeconds: z.int().min(60).max(2_592_000).default(21_600),
    /** Seconds that files are sent for before other jobs have their turn. */
    sendSeconds: z.int().min(1).max(600).default(20),
    /** By what GPUs of those nodes are judged, where a job's manifest demands them; absent: such a job is refused. */
    gpu: z.exactOptional(gpuRulesSchema),
  })
  .nullable()
  .default(null)

/** Runs jobs for other nodes; null: for none. */
export const serveHandOffSchema = z
  .strictObject({
    /** Largest transfer, all files together. */
    maximumBytes: z.int().min(1_000_000).max(10_000_000_000_000).default(10_000_000_000),
    maximumJobs: z.int().min(1).max(100).default(2),
    /** Seconds after which a transfer is ended that nobody asks about. */
    idleSeconds: z.int().min(10).max(86_400).default(900),
    /** Seconds that all files of a transfer may take to come. */
    receiveSeconds: z.int().min(60).max(604_800).default(21_600),
  })
  .nullable()
  .default(null)

/** What a node's settings say of hand-offs. */
export interface HandOffSettings {
  readonly handOff: z.output<typeof handOffSchema>
  readonly serveHandOff: z.output<typeof serveHandOffSchema>
}

/** @throws NodeError `CONFIG_INVALID` for a node that has no pool, and runs no jobs, judges nothing and remembers no heads for others */
export function requireAnyWork({
  pools,
  serveHandOff,
  validates,
  anchors,
}: Pick<HandOffSettings, 'serveHandOff'> & {
  readonly pools: readonly unknown[]
  readonly validates: unknown
  readonly anchors: AnchorSettings
}): void {
  if (pools.length > 0 || serveHandOff !== null || validates !== null) return
  if (anchors !== null && anchors.keeps.length > 0) return
  throw new NodeError(
    'CONFIG_INVALID',
    'pools',
    'a node serves a pool, or runs jobs, judges or remembers heads for others; list a pool, or set serveHandOff, validates or anchors.keeps',
  )
}

/** @returns what is measured of them; nothing where they are not used, so that they change no other node's keys */
export function measuredHandOffs({ handOff, serveHandOff }: HandOffSettings) {
  return {
    ...(handOff === null ? {} : { handOff }),
    ...(serveHandOff === null ? {} : { serveHandOff }),
  }
}
