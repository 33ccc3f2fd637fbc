import { type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { ComputeError } from '../errors.js'
import { placeOf } from './place.js'
import { resultViewSchema } from './result-view.js'

const addressSchema = z.templateLiteral([z.literal('0x'), z.string().regex(/^[0-9a-f]{40}$/)])
const textSchema = z.string().min(1).max(2000)
const poolNameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected a pool name in lower-case ASCII')

/** Where a job may run besides the node that keeps its pools. */
const handOffSchema = z
  .strictObject({
    /** Measurements as the node registry lists them, of which the other node must have one. */
    measurements: z
      .array(z.templateLiteral([z.literal('0x'), z.string().regex(/^[0-9a-f]{64}$/)]))
      .min(1)
      .max(16),
    /** Chain time in unix seconds after which the other node may not answer, and must have destroyed what it was given. */
    expiresAt: z.int().min(1),
    /** What the node that keeps the pools does when nobody has answered by then: nothing, or run the job itself. */
    fallback: z.enum(['none', 'home']),
    /**
     * To how many other nodes the job's contributors are dealt: each is given its part alone, and the node that keeps the pools adds up
     * what they count. Absent: one node is given everything.
     */
    shards: z.exactOptional(z.int().min(2).max(16)),
    /**
     * GPUs that each other node must have proved before it is given anything, by a platform policy of the node that keeps the pools: with
     * confidential computing on and developers' tools off. Absent: nobody is asked for any.
     */
    gpu: z.exactOptional(
      z.strictObject({
        /** Fewest GPUs of each node. */
        minimumDevices: z.int().min(1).max(64),
      }),
    ),
  })
  .refine(({ shards, fallback }) => shards === undefined || fallback === 'none', {
    path: ['fallback'],
    message:
      'a job that is dealt to several nodes fails when one of them is lost, and runs nowhere else (none)',
  })
  .refine(({ measurements }) => new Set(measurements).size === measurements.length, {
    path: ['measurements'],
    message: 'a measurement is listed twice',
  })

const resultKeySchema = z.strictObject({
  kem: z.literal('x25519'),
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected 32 bytes in base64url without padding'),
})

/** Who gets which view of the result. */
const viewsSchema = z.strictObject({
  /** Of the manifest's consumer. */
  consumer: resultViewSchema,
  others: z
    .array(
      z
        .strictObject({
          address: addressSchema,
          /** What the view is sealed to; null for whoever gets nothing but the receipt. */
          resultKey: z.union([resultKeySchema, z.null()]),
          view: resultViewSchema,
        })
        .refine(({ resultKey, view }) => (resultKey === null) === (view.kind === 'receipt'), {
          path: ['resultKey'],
          message: 'a recipient has a key, and one of nothing but the receipt has none (null)',
        }),
    )
    .max(15),
})

/**
 * What a consumer asks for: one SQL statement or one computation over named pools, at a stated privacy cost.
 * Votes, grants, payment and receipt all name its digest.
 */
export const jobManifestSchema = z
  .strictObject({
    format: z.literal('sealpool/job-manifest'),
    version: z.literal(1),
    kind: z.enum(['query', 'compute']),
    title: z.string().min(1).max(200),
    pools: z
      .array(z.strictObject({ address: addressSchema, name: poolNameSchema }))
      .min(1)
      .max(16),
    query: z.union([z.strictObject({ sql: z.string().min(1).max(65_536) }), z.null()]),
    compute: z.union([
      z.strictObject({ computation: z.string().min(1).max(200), parameters: z.record(z.string(), z.json()) }),
      z.null(),
    ]),
    privacy: z.strictObject({ epsilon: z.number().gt(0).max(100), delta: z.number().min(0).max(0.001) }),
    consumer: z.strictObject({
      address: addressSchema,
      resultKey: resultKeySchema,
    }),
    purpose: textSchema,
    /** Makes the digest unguessable and tells two equal requests apart. */
    salt: z
      .string()
      .regex(/^[A-Za-z0-9_-]{16,128}$/, 'expected 16 to 128 characters of base64url or hexadecimal'),
    /** The votes approve it with the rest. Absent: the job runs on the node that keeps its pools, and nowhere else. */
    handOff: z.exactOptional(handOffSchema),
    /** Who gets which view of the result. Absent: the consumer gets all of it, and nobody else gets any. */
    views: z.exactOptional(viewsSchema),
  })
  .superRefine((manifest, context) => {
    const issue = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message })
    }
    if ((manifest.query === null) !== (manifest.kind === 'compute')) {
      issue(['query'], 'a query job has a query and a compute job has none (null)')
    }
    if ((manifest.compute === null) !== (manifest.kind === 'query')) {
      issue(['compute'], 'a compute job has a computation and a query job has none (null)')
    }
    const recipients = manifest.views?.others.map(({ address }) => address) ?? []
    recipients.forEach((address, index) => {
      if (address === manifest.consumer.address || recipients.indexOf(address) < index)
        issue(['views', 'others', index, 'address'], 'the recipient is listed twice; each has one view')
    })
    // A runner signs for the digest of the whole answer, by which a narrow view could be guessed up to the whole.
    if (manifest.views !== undefined && manifest.handOff !== undefined)
      issue(['handOff'], 'a job whose result has views is not handed off; leave one of the two out')
    // A computation is fitted to the rows of all contributors together.
    if (manifest.handOff?.shards !== undefined && manifest.kind !== 'query')
      issue(['handOff', 'shards'], 'only a query is dealt to several nodes; leave shards out')
    manifest.pools.forEach((pool, index) => {
      const earlier = manifest.pools.slice(0, index)
      if (earlier.some(({ address }) => address === pool.address))
        issue(['pools', index, 'address'], 'the pool is listed twice')
      if (earlier.some(({ name }) => name === pool.name))
        issue(['pools', index, 'name'], 'two pools share a name; the job could not tell them apart')
    })
  })

/** A parsed job manifest. Addresses are lower case, so that equal requests have equal digests. */
export type JobManifest = z.output<typeof jobManifestSchema>

/**
 * Parses a job manifest from untrusted JSON.
 *
 * @param json - Any value.
 * @returns The manifest.
 * @throws ComputeError `MANIFEST_INVALID` with the first offending place.
 */
export function parseJobManifest(json: unknown): JobManifest {
  const parsed = jobManifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => ({ place: placeOf(path), message }))
  throw new ComputeError(
    'MANIFEST_INVALID',
    issues[0]?.place ?? '$',
    `The job manifest is not valid. ${issues
      .slice(0, 5)
      .map(({ place, message }) => `${place}: ${message}`)
      .join('; ')}`,
    { cause: parsed.error },
  )
}

/**
 * The manifest's digest: SHA-256 of its canonical JSON.
 *
 * @param manifest - A parsed manifest.
 * @returns Digest, as proposals, grants and receipts carry it.
 */
export function manifestDigest(manifest: JobManifest): Digest {
  return digestOf(manifest as JsonValue)
}
