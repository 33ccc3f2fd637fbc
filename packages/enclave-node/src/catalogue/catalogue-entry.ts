/**
 * What a catalogue says of one pool: what its policy and schema say in public, how many contributed (rounded down), and who serves it.
 * Signed by the node, good for a while.
 * @module
 */
import {
  type Address,
  CryptoError,
  type Digest,
  type JsonObject,
  parseSignedStatement,
  type SignedStatement,
  verifyStatement,
} from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'

const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .transform((text) => text as Address)
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest)
const amount = z.string().regex(/^\d{1,78}$/)
const text = z.string().max(2_000)
const name = z.string().min(1).max(200)

/** The body of a `sealpool/catalogue-entry` statement. */
export const catalogueEntrySchema = z.strictObject({
  pool: address,
  /** Statement key of the node that serves it, lower case. */
  node: address,
  /** Where that node listens, as it says itself: attest it before anything is sent. */
  url: z.url({ protocol: /^https?$/ }).max(500),
  name,
  description: text,
  purposes: z.array(name).max(100),
  policy: digest,
  epoch: z.int().positive(),
  schema: digest,
  tables: z
    .array(
      z.strictObject({
        name,
        description: text,
        columns: z
          .array(z.strictObject({ name, type: name, unit: name.nullable(), description: text }))
          .max(500),
      }),
    )
    .max(100),
  /** At least so many contributions are in the tables: rounded down to a multiple of the policy's smallest group. */
  contributions: z.int().nonnegative(),
  /** Its node keeps no copies: jobs use what the owners' stores give. Absent: it keeps them. */
  keep: z.literal('live').optional(),
  price: amount.describe('as the policy names it; the votes decide'),
  poolTokenBurn: amount,
  /** What the node runs, in the one number that the registry lists. */
  measurement: z.string().regex(/^0x[0-9a-f]{64}$/),
  simulated: z.boolean(),
  /** The block of the newest contribution in the tables; null without one. */
  newestBlock: z
    .string()
    .regex(/^\d{1,20}$/)
    .nullable(),
  /** Unix seconds. */
  issuedAt: z.int().nonnegative(),
  expiresAt: z.int().nonnegative(),
})

/** What a catalogue says of one pool. */
export type CatalogueEntry = z.output<typeof catalogueEntrySchema>

/** An entry with the node's signature. */
export interface SignedEntry {
  readonly entry: CatalogueEntry
  readonly statement: SignedStatement
}

/** Kind of the statement. */
export const catalogueEntryType = 'sealpool/catalogue-entry'
/** Longest life of an entry in seconds: a node that is silent so long is in no catalogue. */
export const maximumEntrySeconds = 3_600

/** By what an entry is judged. */
export interface EntryRules {
  readonly chainId: number
  /** NodeRegistry, lower case. */
  readonly registry: Address
  /** Who must have signed it. */
  readonly node: Address
  /** Unix seconds. */
  readonly now: number
}

/**
 * Reads an entry of unknown origin.
 * @param input JSON
 * @param rules by what it is judged
 * @returns the entry, signed by the node that it names
 * @throws NodeError `ENTRY_INVALID` with the reason
 */
export function readEntry(input: unknown, rules: EntryRules): SignedEntry {
  const refuse = (why: string, cause?: unknown) =>
    new NodeError('ENTRY_INVALID', `catalogue of ${rules.node}`, why, { cause })
  let signed: SignedStatement
  let isSigned: boolean
  try {
    signed = parseSignedStatement(input)
    isSigned = verifyStatement(signed, { signer: rules.node })
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw refuse('it is no signed statement', cause)
  }
  if (!isSigned) throw refuse('its signature is not the node’s')
  const { statement, context } = signed
  if (statement.type !== catalogueEntryType || statement.version !== 1)
    throw refuse('it is a statement on something else')
  if (context.chainId !== rules.chainId || context.registry.toLowerCase() !== rules.registry)
    throw refuse('it was made for another chain or registry')
  const read = catalogueEntrySchema.safeParse(statement.body)
  if (!read.success) throw refuse('it has another form')
  const entry = read.data
  if (entry.node !== rules.node) throw refuse('it names another node')
  if (context.pool.toLowerCase() !== entry.pool) throw refuse('it was signed for another pool')
  if (entry.expiresAt <= rules.now) throw refuse('it has expired')
  if (entry.expiresAt > rules.now + 2 * maximumEntrySeconds) throw refuse('it would be good for too long')
  return { entry, statement: signed }
}

/** @returns the body of the statement on an entry */
export function entryBody(entry: CatalogueEntry): JsonObject {
  return entry as unknown as JsonObject
}
