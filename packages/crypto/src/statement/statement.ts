import { digestOf } from '../canonical-json/canonical-bytes.js'
import { canonicalize, type JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, digestToBytes } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { concatBytes } from '../encoding/bytes.js'
import { exactly } from '../encoding/exact-object.js'
import { encodeHex, type Hex } from '../encoding/hex.js'
import { isPlain, requireList, requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import { addressWord, chainIdWord, keccak256, keccakOfText, typedDataDigest } from './eip712.js'
import { bytes32Word, type Fact, factsHash, uint256Word } from './facts.js'
import { addressOf, recoverAddress, signDigest } from './signature.js'

/** What a node says: a typed, versioned JSON object. */
export interface Statement {
  /** Kind of statement, such as `sealpool/receipt`. */
  readonly type: string
  /** Version of the kind, from 1. */
  readonly version: number
  readonly body: JsonObject
}

/** Where a statement counts: it is worth nothing on another chain, registry, pool, subject or nonce. */
export interface StatementContext {
  readonly chainId: number
  /** The NodeRegistry, the one verifying contract. */
  readonly registry: Address
  readonly pool: Address
  /** What it is about, 32 bytes. */
  readonly subject: Hex
  /** Whole number below 2^256 as decimal text. */
  readonly nonce: string
  /** Words that a contract checks; see {@link Fact}. */
  readonly facts: readonly Fact[]
}

/** A statement with its signature; JSON throughout. */
export interface SignedStatement {
  readonly statement: Statement
  readonly context: StatementContext
  readonly signer: Address
  /** `r || s || v`, 65 bytes, low `s`, `v` 27 or 28. */
  readonly signature: Hex
}

const domainType = /* @__PURE__ */ keccakOfText(
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
)
const statementType = /* @__PURE__ */ keccakOfText(
  'Statement(string kind,address pool,bytes32 subject,bytes32 facts,bytes32 digest,uint256 nonce)',
)
const domainName = /* @__PURE__ */ keccakOfText('Sealpool')
const domainVersion = /* @__PURE__ */ keccakOfText('1')

/**
 * The name under which contracts know a statement: its type, a slash, its version.
 *
 * @param statement - type and version are read
 * @returns such as `sealpool/receipt/1`
 * @throws CryptoError `STATEMENT_INVALID`
 */
export function statementKind(statement: Pick<Statement, 'type' | 'version'>): string {
  const { type, version } = requireOptions(statement, 'statement')
  if (typeof type !== 'string' || !/^[a-z0-9][a-z0-9./-]{0,126}[a-z0-9]$/.test(type)) {
    throw new CryptoError('STATEMENT_INVALID', '$.statement.type', 'expected a name such as sealpool/receipt')
  }
  if (!isWhole(version, 1)) {
    throw new CryptoError('STATEMENT_INVALID', '$.statement.version', 'a version is a whole number from 1')
  }
  return `${type}/${version}`
}

/**
 * The SHA-256 of a statement's canonical JSON (RFC 8785): what its signature covers.
 *
 * @param statement - the statement
 * @returns the digest
 * @throws CryptoError `STATEMENT_INVALID`, or as `canonicalize` when the body is not JSON
 */
export function statementDigest(statement: Statement): Digest {
  statementKind(statement)
  return digestOf({ type: statement.type, version: statement.version, body: requireObject(statement.body) })
}

/**
 * The EIP-712 digest of a statement in its context, which `NodeRegistry.checkStatement` computes as well. Domain
 * `{ name: 'Sealpool', version: '1', chainId, verifyingContract: registry }`, struct
 * `Statement(string kind,address pool,bytes32 subject,bytes32 facts,bytes32 digest,uint256 nonce)`.
 *
 * @param statement - the statement
 * @param context - where it counts
 * @returns 32 bytes as hex
 * @throws CryptoError `STATEMENT_INVALID`, `ADDRESS_INVALID`, or as `canonicalize`
 */
export function statementTypedDataHash(statement: Statement, context: StatementContext): Hex {
  return encodeHex(typedDataHash(statement, context))
}

function typedDataHash(statement: Statement, context: StatementContext): Uint8Array {
  requireOptions(context, 'context')
  const domain = keccak256(
    concatBytes(
      domainType,
      domainName,
      domainVersion,
      chainIdWord(context.chainId, '$.context.chainId'),
      addressWord(context.registry, '$.context.registry'),
    ),
  )
  const struct = keccak256(
    concatBytes(
      statementType,
      keccakOfText(statementKind(statement)),
      addressWord(context.pool, '$.context.pool'),
      bytes32Word(context.subject, '$.context.subject'),
      factsHash(context.facts),
      digestToBytes(statementDigest(statement)),
      uint256Word(context.nonce, '$.context.nonce'),
    ),
  )
  return typedDataDigest(domain, struct)
}

/**
 * Signs a statement. The nonce of the signature comes from RFC 6979: no randomness is used, and the same input
 * gives the same signature.
 *
 * @param options - the statement, its context, and the secp256k1 key of 32 bytes
 * @returns copies of statement and context with signer and signature, as {@link verifyStatement} takes them: an extra member, or a
 *   hidden one, is an error here already
 * @throws CryptoError `OPTION_INVALID` (statement or context is no plain object), `STATEMENT_INVALID`, `ADDRESS_INVALID`,
 *   `KEY_INVALID`, or as `canonicalize`
 * @example
 * ```ts
 * import { platformRandom, signStatement, verifyStatement } from '@sealpool/crypto'
 * const zero = `0x${'00'.repeat(20)}` as const
 * const signed = signStatement({
 *   statement: { type: 'sealpool/receipt', version: 1, body: { job: '7' } },
 *   context: { chainId: 31337, registry: zero, pool: zero, subject: `0x${'00'.repeat(32)}`, nonce: '1', facts: [] },
 *   privateKey: platformRandom(32),
 * })
 * console.log(verifyStatement(signed)) // true
 * ```
 */
export function signStatement(options: {
  readonly statement: Statement
  readonly context: StatementContext
  readonly privateKey: Uint8Array
}): SignedStatement {
  const { privateKey, ...given } = requireOptions(options)
  // What the copies below would lose of an object that is not plain must not be lost unseen.
  requireOptions(given.statement, 'statement')
  const { facts } = requireOptions(given.context, 'context')
  const { statement, context } = readUnsigned(given.statement, given.context)
  requireList(facts, '$.context.facts').forEach((fact, index) => {
    requireOptions(fact, `$.context.facts[${index}]`, 'STATEMENT_INVALID')
  })
  // Read once, and the caller's no more: what is handed out is what was signed, whatever a getter says the second time.
  const body = JSON.parse(canonicalize(requireObject(statement.body))) as JsonObject
  const own = { ...statement, body }
  return {
    statement: own,
    context,
    signer: addressOf(privateKey),
    signature: signDigest(typedDataHash(own, context), privateKey),
  }
}

/**
 * The address whose key signed a statement, whatever its `signer` field says.
 *
 * @param signed - the statement with its signature
 * @returns the address in lower case
 * @throws CryptoError `SIGNATURE_INVALID` (high `s`, `v` other than 27 or 28, wrong length, no key fits), and as
 *   {@link statementTypedDataHash}
 */
export function recoverStatementSigner(signed: SignedStatement): Address {
  requireOptions(signed, 'signed')
  return recoverAddress(typedDataHash(signed.statement, signed.context), signed.signature, '$.signature')
}

/**
 * Whether a statement was signed by the address in its `signer` field and, when `signer` is given, by that one.
 * Whether that address is a node's is a question to the attestation or the registry.
 *
 * @param signed - the statement; hostile values are answered with `false`
 * @param options - `signer`: the address that must have signed; left out, not undefined, where any may
 * @returns true only when every check passed
 */
export function verifyStatement(
  signed: SignedStatement,
  options: { readonly signer?: Address } = {},
): boolean {
  // A signer that is asked for and cannot be read (undefined, misspelt, in a Map) must not pass as none.
  if (!isPlain(options)) return false
  if (Reflect.ownKeys(options).some((name) => name !== 'signer' || options.signer === undefined)) return false
  try {
    const checked = parseSignedStatement(signed)
    const signer = recoverStatementSigner(checked)
    return (
      signer === checked.signer &&
      (options.signer === undefined || signer === parseAddress(options.signer, 'signer'))
    )
  } catch (error) {
    if (error instanceof CryptoError) return false
    throw error
  }
}

/**
 * Reads a signed statement from JSON of unknown origin; the signature is not judged (see {@link verifyStatement}).
 *
 * @param value - what was read
 * @returns the same statement with all fields checked and no others, `signer` in lower case
 * @throws CryptoError `STATEMENT_INVALID`, `ADDRESS_INVALID`, `SIGNATURE_INVALID`, or as `canonicalize`
 */
export function parseSignedStatement(value: unknown): SignedStatement {
  const outer = fieldsOf(value, '$', ['statement', 'context', 'signer', 'signature'])
  const signed = {
    ...readUnsigned(outer['statement'], outer['context']),
    signer: parseAddress(outer['signer'], '$.signer'),
    signature: outer['signature'] as Hex,
  }
  // Hashing looks at every field, so this refuses what the types above only claim.
  typedDataHash(signed.statement, signed.context)
  if (typeof signed.signature !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(signed.signature)) {
    throw new CryptoError('SIGNATURE_INVALID', '$.signature', 'expected 65 bytes as hex')
  }
  return signed
}

/** Copies that have the members of their kinds and no others; what the members are is judged by hashing them. */
function readUnsigned(
  givenStatement: unknown,
  givenContext: unknown,
): { readonly statement: Statement; readonly context: StatementContext } {
  const statement = fieldsOf(givenStatement, '$.statement', ['type', 'version', 'body'])
  const names = ['chainId', 'registry', 'pool', 'subject', 'nonce', 'facts']
  const context = fieldsOf(givenContext, '$.context', names)
  const facts = context['facts']
  if (!Array.isArray(facts)) throw invalid('$.context.facts', 'facts are an array')
  return {
    statement: statement as unknown as Statement,
    context: {
      ...context,
      facts: Array.from(facts, (fact: unknown, index) =>
        fieldsOf(fact, `$.context.facts[${index}]`, ['type', 'value']),
      ),
    } as unknown as StatementContext,
  }
}

function requireObject(value: unknown, place = '$.statement.body'): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(place, 'expected a JSON object')
  }
  return value as JsonObject
}

function fieldsOf(
  value: unknown,
  place: string,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  return exactly(value, names, 'STATEMENT_INVALID', place)
}

function invalid(place: string, why: string): CryptoError {
  return new CryptoError('STATEMENT_INVALID', place, why)
}
