/**
 * What every signed statement of this package is read by.
 * @module
 */
import {
  type Address,
  asJson,
  CryptoError,
  digestOf,
  type JsonObject,
  type JsonValue,
  recoverStatementSigner,
  type SignedStatement,
} from '@sealpool/crypto'
import * as z from 'zod'
import { PocError } from '../errors.js'
import { isWithinDepth } from '../json-depth.js'

// Made on first use: whoever imports this package for `definePoc` alone does not pull it into a bundle.
function makeSchema() {
  const text = z.string().max(10_000)
  return z.strictObject({
    statement: z.strictObject({ type: text, version: z.number(), body: z.record(z.string(), z.unknown()) }),
    context: z.strictObject({
      chainId: z.number(),
      registry: text,
      pool: text,
      subject: text,
      nonce: text,
      facts: z.array(z.strictObject({ type: text, value: text })).max(10),
    }),
    signer: text,
    signature: text,
  })
}

let schema: ReturnType<typeof makeSchema> | undefined

/** The statement, when it has the form of one: a validator may send anything. */
export function readStatement(value: unknown): SignedStatement {
  schema ??= makeSchema()
  // Depth first: what checks and compares below walks by recursion.
  if (!isWithinDepth(value)) throw invalid('statement')
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalid(String(parsed.error.issues[0]?.path[0] ?? 'statement'))
  return parsed.data as unknown as SignedStatement
}

/** Who signed, when it is one of those whose word counts. */
export function signerOf(signed: SignedStatement, accepted: readonly Address[]): Address {
  let signer: Address
  try {
    signer = recoverStatementSigner(signed)
  } catch (cause) {
    if (cause instanceof CryptoError) throw invalid('signature', cause)
    throw cause
  }
  if (!accepted.some((address) => address.toLowerCase() === signer)) throw invalid('signer')
  return signer
}

/** A context as it is compared: addresses in one case. */
export function normal(context: SignedStatement['context']): JsonObject {
  const { registry, pool, ...rest } = context
  return asJson({ ...rest, registry: registry.toLowerCase(), pool: pool.toLowerCase() })
}

/** Whether two values have one canonical form. */
export function same(left: JsonValue, right: JsonValue): boolean {
  try {
    return digestOf(left) === digestOf(right)
  } catch {
    // What has no canonical form was not signed either.
    return false
  }
}

/** That a statement is not what was expected, and where. */
export function invalid(place: string, cause?: unknown): PocError {
  const message = 'the statement is not what was expected; ask the validator again'
  return new PocError('STATEMENT_INVALID', place, message, cause === undefined ? {} : { cause })
}

const others = {
  VERDICT_OF_ANOTHER_POOL: [
    'pool',
    'the statement is of another pool; ask for one of the pool that was named',
  ],
  VERDICT_OF_ANOTHER_CONTRIBUTION: ['contribution', 'the verdict is on another contribution'],
  VERDICT_BY_OTHER_CODE: ['poc', 'the statement is by other code than was named; ask for one by that code'],
  VERDICT_OVER_OTHER_INPUTS: ['inputs', 'the verdict was judged by other facts; have it judged by the same'],
} as const

/** That a statement is about something else than the reader named. */
export function another(code: keyof typeof others): PocError {
  const [place, message] = others[code]
  return new PocError(code, place, message)
}
