/**
 * Where sealed files lie, as settings.
 * @module
 */
import * as z from 'zod'

/** One blob store. */
export const blobStoreSchema = z.discriminatedUnion('kind', [
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
