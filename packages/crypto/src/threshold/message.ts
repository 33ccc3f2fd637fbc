import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, digestToHex } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import { exactly } from '../encoding/exact-object.js'
import { CryptoError } from '../errors.js'
import {
  parseSignedStatement,
  type SignedStatement,
  type StatementContext,
  signStatement,
  verifyStatement,
} from '../statement/statement.js'
import type { ThresholdSession } from './session.js'

/** The kinds of message that a session's members publish. */
export type ThresholdMessageType =
  | 'sealpool/threshold-commitment'
  | 'sealpool/threshold-deal'
  | 'sealpool/threshold-complaint'

/**
 * Signs a message of a session. The signature covers chain, registry, pool and session.
 *
 * @param options - `session`; its digest `id`; `type` and `body` of the message; the member's `signingKey`, 32 bytes
 * @returns the message
 * @throws CryptoError `KEY_INVALID`
 */
export function signMessage(options: {
  readonly session: ThresholdSession
  readonly id: Digest
  readonly type: ThresholdMessageType
  readonly body: JsonObject
  readonly signingKey: Uint8Array
}): SignedStatement {
  const { session, id, type, body, signingKey } = options
  return signStatement({
    statement: { type, version: 1, body },
    context: contextOf(session, id),
    privateKey: signingKey,
  })
}

/**
 * Reads a message of unknown origin.
 *
 * @param value - JSON
 * @param options - the `session`, its digest `id` and the wanted `type`
 * @returns who signed it and what it says
 * @throws CryptoError `TRANSCRIPT_INVALID` when it is another session's, another kind's or not signed by its signer
 */
export function readMessage(
  value: unknown,
  options: { readonly session: ThresholdSession; readonly id: Digest; readonly type: ThresholdMessageType },
): { readonly signer: Address; readonly body: JsonObject } {
  const refuse = (why: string, cause?: unknown) => new CryptoError('TRANSCRIPT_INVALID', '$', why, { cause })
  let signed: SignedStatement
  try {
    signed = parseMessage(value)
  } catch (error) {
    throw refuse('not a signed statement', error)
  }
  const { statement, context } = signed
  if (!isSameContext(context, contextOf(options.session, options.id)))
    throw refuse('a message of another chain, pool or session')
  if (statement.type !== options.type || statement.version !== 1)
    throw refuse(`expected ${options.type}, version 1`)
  if (!verifyStatement(signed)) throw refuse('the signature is not its signer’s')
  return { signer: signed.signer, body: statement.body }
}

function contextOf(session: ThresholdSession, id: Digest): StatementContext {
  return {
    chainId: session.chainId,
    registry: session.registry,
    pool: session.pool,
    subject: digestToHex(id),
    nonce: '0',
    facts: [],
  }
}

/**
 * Reads a signed statement in the one form that it has in a transcript: what one reader counts, all must count.
 *
 * @param value - of unknown origin
 * @returns the statement; chain, registry, pool and subject are for {@link isSameContext}
 * @throws CryptoError as `parseSignedStatement`; `SIGNATURE_INVALID` also when signer or signature have capital digits
 */
export function parseMessage(value: unknown): SignedStatement {
  const names = ['statement', 'context', 'signer', 'signature']
  const own = exactly(value, names, 'STATEMENT_INVALID', '$')
  const signed = parseSignedStatement(own)
  if (signed.signer !== own['signer'] || signed.signature !== signed.signature.toLowerCase()) {
    throw new CryptoError('SIGNATURE_INVALID', '$', 'signer and signature are written in lower case')
  }
  return signed
}

/** Most characters and values of a message: a deal to 100 members with a threshold of 100 has about 14,000. */
const maximumSize = 65_536

/**
 * Whether a message is small enough to be looked at: a text counts its UTF-16 code units and one more, the name of a member its
 * units, every other value (a list and an object too) one.
 *
 * @param message - of unknown origin
 * @returns false as soon as more was counted than any honest message has
 */
export function isModest(message: unknown): boolean {
  let left = maximumSize
  const open: unknown[] = [message]
  while (open.length > 0) {
    const value = open.pop()
    left -= typeof value === 'string' ? value.length + 1 : 1
    if (left < 0) return false
    if (typeof value !== 'object' || value === null) continue
    if (Array.isArray(value)) {
      if (value.length > left) return false
      open.push(...value)
      continue
    }
    for (const name in value) {
      left -= name.length
      if (left < 0) return false
      open.push((value as Record<string, unknown>)[name])
    }
  }
  return true
}

/**
 * Whether a parsed context is the expected one, digit by digit.
 *
 * @param context - of a parsed statement
 * @param expected - a context without facts, its hex in lower case
 * @returns true when every field agrees
 */
export function isSameContext(context: StatementContext, expected: StatementContext): boolean {
  const fields = ['chainId', 'registry', 'pool', 'subject', 'nonce'] as const
  return context.facts.length === 0 && fields.every((name) => context[name] === expected[name])
}

/**
 * Whose message it claims to be.
 *
 * @param message - of unknown origin
 * @returns the text in `signer`; empty when there is none
 */
export function namedSigner(message: unknown): string {
  const signer = (message as { readonly signer?: unknown } | null | undefined)?.signer
  return typeof signer === 'string' ? signer : ''
}
