/**
 * Where sealed files lie, as settings.
 * @module
 */
import * as z from 'zod'

/** One blob store. */
const singleStoreSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('files'), directory: z.string().min(1) }),
  z.strictObject({ kind: z.literal('http'), url: z.url() }),
  /** Any S3 API; its keys are secrets (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`). */
  z.strictObject({
    kind: z.literal('s3'),
    endpoint: z.url(),
    bucket: z.string().min(1),
    region: z.string().min(1),
    prefix: z.string().default(''),
    virtualHost: z.boolean().default(false),
  }),
  /** A Kubo node's RPC. */
  z.strictObject({
    kind: z.literal('ipfs'),
    url: z.url(),
    folder: z.string().default('/sealpool'),
    network: z.boolean().default(false),
  }),
])

/** One blob store, or several that hold the same. */
export const blobStoreSchema = z.discriminatedUnion('kind', [
  ...singleStoreSchema.options,
  z.strictObject({
    kind: z.literal('replicated'),
    /** The one that is asked first first. */
    stores: z
      .array(singleStoreSchema)
      .min(2)
      .max(8)
      .refine((stores) => new Set(stores.map((store) => JSON.stringify(store))).size === stores.length, {
        message: 'a store is listed twice: what it loses is lost twice',
      }),
    /** Within how many hours a replica that was lost is there again, where another one is whole. */
    auditHours: z.int().min(1).max(8_760).default(24),
    /** Milliseconds after which the next store is asked as well. */
    patienceMs: z.int().min(1).max(600_000).default(2_000),
  }),
])

/** Settings of one blob store, or of several. */
export type BlobStoreSettings = z.output<typeof blobStoreSchema>
