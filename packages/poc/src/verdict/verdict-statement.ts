import {
  type Address,
  CryptoError,
  type Digest,
  digestOf,
  digestToBytes,
  encodeHex,
  type Hex,
  type JsonObject,
  type JsonValue,
  parseDigest,
  recoverStatementSigner,
  type SignedStatement,
  signStatement,
} from '@sealpool/crypto'
import * as z from 'zod'
import { type DatasetFacts, datasetFactsBody } from '../dataset-facts/dataset-facts.js'
import { PocError } from '../errors.js'
import { isWithinDepth } from '../json-depth.js'
import { type PocVerdict, parsePocVerdict } from './verdict.js'

/** Type of the signed statement, and the predicate's type inside of it. */
const STATEMENT = { type: 'sealpool/poc-verdict', version: 1 } as const
const IN_TOTO = 'https://in-toto.io/Statement/v1'
const PREDICATE = 'https://sealpool.org/predicates/poc-verdict/v1'

/** Where a verdict counts. */
export interface VerdictContext {
  readonly chainId: number
  readonly registry: Address
  /** The contribution as the contract numbers it, 32 bytes. */
  readonly subject: Hex
  /** Salted commitment of the contribution's plaintext, as it stands on chain. Never a bare hash of private data. */
  readonly commitment: Digest
  /** Whole number as decimal text. */
  readonly nonce?: string
}

/**
 * A verdict as an in-toto statement (in-toto Attestation Framework v1): the subject is the contribution by its salted commitment, the
 * predicate is the verdict. There is no raw data in it.
 *
 * @param verdict what `runPoc` gave
 * @param commitment as it stands on chain
 * @returns the statement, JSON throughout; the commitment stands under `sealpoolCommitment` in hexadecimal without 0x
 */
export function verdictToInToto(verdict: PocVerdict, commitment: Digest): JsonObject {
  return {
    _type: IN_TOTO,
    subject: [
      {
        name: `${verdict.pool.toLowerCase()}/${verdict.contribution}`,
        digest: { sealpoolCommitment: encodeHex(digestToBytes(commitment)).slice(2) },
      },
    ],
    predicateType: PREDICATE,
    predicate: verdict as unknown as JsonObject,
  }
}

/**
 * Signs a verdict: EIP-712 over the in-toto statement's digest, bound to chain, registry, pool and contribution. Contract facts are the
 * score in ten-thousandths and the digest of the code that judged.
 *
 * @param options verdict, context, and the validator's secp256k1 key
 * @returns the signed statement, JSON throughout
 * @throws CryptoError as `signStatement`
 */
export function signVerdict(options: {
  readonly verdict: PocVerdict
  readonly context: VerdictContext
  readonly privateKey: Uint8Array
}): SignedStatement {
  const { verdict, context, privateKey } = options
  return signStatement({
    statement: { ...STATEMENT, body: verdictToInToto(verdict, context.commitment) },
    context: statementContext(verdict, context),
    privateKey,
  })
}

function statementContext(verdict: PocVerdict, context: VerdictContext): SignedStatement['context'] {
  return {
    chainId: context.chainId,
    registry: context.registry,
    pool: verdict.pool,
    subject: context.subject,
    nonce: context.nonce ?? '0',
    facts: [
      { type: 'uint256', value: String(Math.round(verdict.score * 10_000)) },
      { type: 'bytes32', value: encodeHex(digestToBytes(verdict.poc)) },
    ],
  }
}

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
function readStatement(value: unknown): SignedStatement {
  schema ??= makeSchema()
  // Depth first: what checks and compares below walks by recursion.
  if (!isWithinDepth(value)) throw invalid('statement')
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalid(String(parsed.error.issues[0]?.path[0] ?? 'statement'))
  return parsed.data as unknown as SignedStatement
}

/** A verdict that was read from a signed statement. */
export interface VerifiedVerdict {
  readonly verdict: PocVerdict
  readonly signer: Address
}

/**
 * Reads and verifies a signed verdict offline.
 *
 * @param hostile what came, of any form and depth
 * @param expected what the verifier knows: where it counts, and whose word does
 * @returns the verdict and who signed it
 * @throws PocError `STATEMENT_INVALID` naming what does not hold; `VERDICT_INVALID`
 */
export function verifyVerdict(
  hostile: unknown,
  expected: { readonly context: VerdictContext; readonly validators: readonly Address[] },
): VerifiedVerdict {
  const signed = readStatement(hostile)
  const { body, type, version } = signed.statement
  if (type !== STATEMENT.type || version !== STATEMENT.version) throw invalid('statement.type')
  const verdict = parsePocVerdict(body['predicate'])
  const { context } = expected
  if (!same(body, verdictToInToto(verdict, context.commitment))) throw invalid('statement.body')
  if (!same(normal(signed.context), normal(statementContext(verdict, context)))) throw invalid('context')
  let signer: Address
  try {
    signer = recoverStatementSigner(signed)
  } catch (cause) {
    if (cause instanceof CryptoError) throw invalid('signature', cause)
    throw cause
  }
  if (!expected.validators.some((address) => address.toLowerCase() === signer)) throw invalid('signer')
  return { verdict, signer }
}

function normal(context: SignedStatement['context']): JsonObject {
  const { registry, pool, ...rest } = context
  return { ...rest, registry: registry.toLowerCase(), pool: pool.toLowerCase() } as unknown as JsonObject
}

function same(left: JsonValue, right: JsonValue): boolean {
  try {
    return digestOf(left) === digestOf(right)
  } catch {
    // What has no canonical form was not signed either.
    return false
  }
}

function invalid(place: string, cause?: unknown): PocError {
  const message = 'the statement is not what was expected; ask the validator again'
  return new PocError('STATEMENT_INVALID', place, message, cause === undefined ? {} : { cause })
}

/**
 * Signs facts of a dataset, so that whoever reads a catalogue can hold the owner's words against them.
 *
 * @param options `facts`; `pool`; where they count (`context.commitment` is the dataset's); the enclave's key
 * @returns a signed `sealpool/dataset-facts` statement; its one contract fact is the number of rows
 */
export function signDatasetFacts(options: {
  readonly facts: DatasetFacts
  readonly pool: Address
  readonly context: VerdictContext
  readonly privateKey: Uint8Array
}): SignedStatement {
  const { facts, pool, context, privateKey } = options
  return signStatement({
    statement: {
      type: 'sealpool/dataset-facts',
      version: 1,
      body: { commitment: parseDigest(context.commitment), facts: datasetFactsBody(facts) },
    },
    context: {
      chainId: context.chainId,
      registry: context.registry,
      pool,
      subject: context.subject,
      nonce: context.nonce ?? '0',
      facts: [{ type: 'uint256', value: String(facts.rows) }],
    },
    privateKey,
  })
}
