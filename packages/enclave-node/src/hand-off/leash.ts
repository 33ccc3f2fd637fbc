/**
 * What a node is told of a job that it runs for another one: everything that the job may be run on, by which rules, for whom and
 * until when. It travels sealed to a key that the running node made for this transfer alone.
 * @module
 */
import { type Address, canonicalBytes, type Digest, type JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import { HandOffRefusal } from './hand-off-refusal.js'
import { parcelDocument } from './parcel-document.js'
import { secretText } from './secret-text.js'
import { shardPlaceSchema } from './shard.js'

const address = z.string().regex(/^0x[0-9a-f]{40}$/)
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>
const json = z.record(z.string(), z.json()) as z.ZodType<JsonObject>

/** Most files of one transfer, the sealed leash included: their list must fit into one call. */
export const maximumFiles = 2_000
/** Largest sealed leash in bytes. */
export const maximumLeashBytes = 8 * 1024 * 1024

/** One file of a transfer. */
export const transferFileSchema = z.strictObject({
  bytes: z
    .int()
    .min(1)
    .max(2 ** 48),
  digest,
})
/** One file of a transfer: its length and SHA-256. */
export type TransferFile = z.output<typeof transferFileSchema>

const leashSchema = z
  .strictObject({
    format: z.literal('sealpool/hand-off-leash'),
    version: z.literal(1),
    transfer: z.string().regex(/^[0-9a-f]{32}$/),
    job: z.string().regex(/^(0|[1-9]\d{0,17})$/),
    /** Statement key of the node that keeps the pools and the budget. */
    home: address,
    /** The job manifest that was voted on. */
    manifest: json,
    /** Digest of the one plan that may be run. */
    plan: digest,
    /** In the order of the manifest. */
    pools: z
      .array(
        z.strictObject({
          address,
          /** The policy whose digest stands on the chain. */
          policy: json,
          /** Every restriction that the chain shows, in its order. */
          restrictions: z.array(json).max(1_000),
        }),
      )
      .min(1)
      .max(16),
    /** The tables that the plan reads; `files` are numbers of files of the transfer, from 1 on. */
    tables: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(200),
          files: z.array(z.int().min(1)).max(maximumFiles),
        }),
      )
      .min(1)
      .max(1_000),
    /** Files 1 and following; file 0 is this leash, sealed. */
    files: z.array(transferFileSchema).max(maximumFiles),
    /** Opens the files; made for this transfer. */
    tableKey: secretText,
    /** Seed of this job's noise; whoever is given a shard adds none, and could take it away again if he knew it. */
    noise: z.exactOptional(secretText),
    /** Which shard of the job it is; absent: the job is run whole. */
    shard: z.exactOptional(shardPlaceSchema),
    /** Key of this job's pseudonyms. */
    pseudonyms: secretText,
    /** X25519: only whoever has its private key, the home node, reads the answer. */
    answerKey: secretText,
    /** Chain time in unix seconds after which nothing is run, answered or kept. */
    expiresAt: z.int().min(1),
  })
  .refine(({ noise, shard }) => (noise === undefined) !== (shard === undefined), {
    path: ['noise'],
    message: 'a job that is run whole has the seed of its noise, and a shard has none',
  })

/** A parsed leash. */
export type Leash = z.output<typeof leashSchema> & { readonly home: Address }

/** @returns canonical bytes, to be sealed */
export function encodeLeash(leash: Leash): Uint8Array {
  return canonicalBytes(leash)
}

/**
 * @param bytes of unknown origin
 * @throws HandOffRefusal `LEASH_INVALID`
 */
export function parseLeash(bytes: Uint8Array): Leash {
  const read = parcelDocument(bytes, leashSchema)
  if (read.document === undefined) throw new HandOffRefusal('LEASH_INVALID', read.cause)
  return read.document as Leash
}
