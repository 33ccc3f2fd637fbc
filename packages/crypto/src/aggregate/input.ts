import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, digestToBytes, digestToHex } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import { bigEndian, type Random } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { addressOf } from '../statement/signature.js'
import {
  type SignedStatement,
  type StatementContext,
  signStatement,
  verifyStatement,
} from '../statement/statement.js'
import {
  discreteLogProofLength,
  proveDiscreteLog,
  verifyDiscreteLog,
} from '../threshold/discrete-log-proof.js'
import { exactFields } from '../threshold/exact-fields.js'
import {
  type GroupElement,
  generator,
  hashParts,
  identityElement,
  parsePoint,
  toScalar,
} from '../threshold/group.js'
import { isModest, isSameContext, parseMessage } from '../threshold/message.js'
import { parseThresholdKey, type ThresholdKey } from '../threshold/session.js'
import {
  areBits,
  type ClaimedBit,
  type EncryptedBit,
  encryptBit,
  provenBitLength,
  readBit,
} from './bit-proof.js'
import {
  type AggregateDefinition,
  aggregateDigest,
  bitsOf,
  parseAggregateDefinition,
  requireCommittee,
  weightsOf,
} from './definition.js'

const inputType = 'sealpool/aggregate-input'

/**
 * A contributor's answer: every bit encrypted to the committee, with a proof that the answer is within bounds, and
 * signed. It can be published: it tells that the contributor took part, and not what it said.
 *
 * @param options - `key`: the committee's, as `concludeSession` gave it to the contributor for the published transcript, or
 *   checked against a digest on chain: who takes the asker's word for it may be encrypting to the asker; `definition`;
 *   `value`: a whole number within bounds (sum), or the place of a bin from 0 (histogram); `signingKey`: the contributor's,
 *   32 bytes; `random`: source of random bytes
 * @returns the signed input; about 590 characters for each bit
 * @throws CryptoError `AGGREGATE_INVALID` (definition, another committee's question, or a value out of bounds),
 *   `SESSION_INVALID` for a malformed key, `KEY_INVALID`, `RANDOM_INVALID`
 */
export function encryptInput(options: {
  readonly key: ThresholdKey
  readonly definition: AggregateDefinition
  readonly value: number
  readonly signingKey: Uint8Array
  readonly random: Random
}): SignedStatement {
  requireOptions(options)
  const { value, signingKey, random } = options
  const definition = parseAggregateDefinition(options.definition)
  // A definition can name any point as the committee's: its asker's own would open every single answer.
  requireCommittee(definition, parseThresholdKey(options.key))
  const id = aggregateDigest(definition)
  const contributor = addressOf(signingKey)
  const publicKey = parsePoint(definition.publicKey, 'AGGREGATE_INVALID', '$.publicKey')
  const bits = bitsOf(definition.measure, value).map((bit, place) =>
    encryptBit({ publicKey, bit, context: proofContext(id, contributor, place), random }),
  )
  const body: JsonObject = {
    contributor,
    bits: bits.map(({ bytes }) => encodeHex(bytes)),
    one:
      definition.measure.kind === 'sum'
        ? null
        : encodeHex(proveOne(bits, { publicKey, id, contributor, random })),
  }
  const statement = { type: inputType, version: 1, body }
  return signStatement({ statement, context: contextOf(definition, id), privateKey: signingKey })
}

/** An input that bears its contributor's signature; {@link checkProofs} looks into it. */
export interface SignedInput {
  readonly contributor: Address
  readonly bits: readonly Hex[]
  readonly one: Hex | null
  /** The canonical bytes of the statement that was signed. */
  readonly leaf: Uint8Array
}

/**
 * Reads an input of unknown origin and checks form and signature, not the proofs. What is not of the one form and size that the
 * question asks for is refused before anything is hashed.
 *
 * @param value - JSON
 * @param options - a checked `definition` and its digest `id`
 * @returns who signed what
 * @throws CryptoError `AGGREGATE_INVALID`, its place naming what is wrong
 */
export function readInput(
  value: unknown,
  options: { readonly definition: AggregateDefinition; readonly id: Digest },
): SignedInput {
  const { definition, id } = options
  const refuse = (place: string, why: string) => new CryptoError('AGGREGATE_INVALID', place, why)
  const code = 'AGGREGATE_INVALID'
  const statement = exactFields(value, ['statement', 'context', 'signer', 'signature'], code, '$').fields[
    'statement'
  ]
  const { body } = exactFields(statement, ['type', 'version', 'body'], code, '$.statement').fields
  const reader = exactFields(body, ['contributor', 'bits', 'one'], code, '$')
  const count = weightsOf(definition.measure).length
  const bits = reader.list('bits', count, count).map((text, place) => {
    return exactFields({ bit: text }, ['bit'], code, `$.bits[${place}]`).text('bit', provenBitLength)
  })
  if (definition.measure.kind === 'sum' && reader.fields['one'] !== null)
    throw refuse('$.one', 'a sum has no such proof')
  const one = definition.measure.kind === 'sum' ? null : reader.text('one', discreteLogProofLength)
  const named = reader.address('contributor')
  if (!isModest((value as { readonly context: unknown }).context))
    throw refuse('$.context', 'longer than any honest one')
  const signer = signerOf(value, { definition, id, refuse })
  // The proofs are bound to the name in the body, the signature to the signer: both must be one.
  if (named !== signer) throw refuse('$.contributor', 'signed by somebody else')
  return { contributor: signer, bits, one, leaf: canonicalBytes(statement ?? null) }
}

function signerOf(
  value: unknown,
  options: {
    readonly definition: AggregateDefinition
    readonly id: Digest
    readonly refuse: (place: string, why: string) => CryptoError
  },
): Address {
  const { definition, id, refuse } = options
  let signed: SignedStatement
  try {
    signed = parseMessage(value)
  } catch {
    throw refuse('$', 'not a signed statement')
  }
  const { statement, context, signer } = signed
  if (statement.type !== inputType || statement.version !== 1)
    throw refuse('$.statement', `expected ${inputType}, version 1`)
  if (!isSameContext(context, contextOf(definition, id)))
    throw refuse('$.context', 'an input to another question, pool or chain')
  if (!verifyStatement(signed)) throw refuse('$.signature', 'the signature is not its signer’s')
  return signer
}

/** Most encrypted bits whose proofs are checked at once, but always those of one input: memory is bounded by it. */
const bitsAtOnce = 256

/**
 * How many inputs {@link checkProofs} should be given at once.
 *
 * @param definition - a checked definition
 * @returns 1 or more
 */
export function inputsAtOnce(definition: AggregateDefinition): number {
  return Math.max(1, Math.floor(bitsAtOnce / weightsOf(definition.measure).length))
}

/**
 * Checks the proofs of some inputs together, and looks for the wrong ones where they do not all hold.
 *
 * @param inputs - of {@link readInput}
 * @param options - a checked `definition` and its digest `id`
 * @returns for each input its ciphertexts, or why it is refused
 */
export function checkProofs(
  inputs: readonly SignedInput[],
  options: { readonly definition: AggregateDefinition; readonly id: Digest },
): readonly (readonly EncryptedBit[] | CryptoError)[] {
  const publicKey = parsePoint(options.definition.publicKey, 'AGGREGATE_INVALID', '$.publicKey')
  const claims = inputs.map((input) => claimedBits(input, { ...options, publicKey }))
  const unproven = new CryptoError('AGGREGATE_INVALID', '$.bits', 'not proven to be 0 or 1')
  const formed = claims.flatMap((claim) => (claim instanceof CryptoError ? [] : [claim]))
  const hold = (some: readonly (readonly ClaimedBit[])[]) => areBits(some.flat(), publicKey)
  const wrong = new Set<unknown>(hold(formed) ? [] : wrongOf(formed, hold))
  return claims.map((claim) => (wrong.has(claim) ? unproven : claim))
}

/**
 * Which of some items do not hold, when it is known that not all do. Halves are cheaper than items, so a single wrong one is
 * looked for by halves; where both halves have one, each item is checked alone, or many wrong ones would cost more than that.
 *
 * @param items - at least one of which does not hold
 * @param hold - whether all of some items hold
 * @returns those that do not, in their order
 */
export function wrongOf<T>(items: readonly T[], hold: (items: readonly T[]) => boolean): readonly T[] {
  if (items.length === 1) return items
  const middle = items.length >> 1
  const [left, right] = [items.slice(0, middle), items.slice(middle)]
  if (hold(left)) return wrongOf(right, hold)
  if (hold(right)) return wrongOf(left, hold)
  return items.filter((each) => !hold([each]))
}

function claimedBits(
  input: SignedInput,
  options: { readonly id: Digest; readonly publicKey: GroupElement },
): readonly ClaimedBit[] | CryptoError {
  const { contributor, one } = input
  const { id, publicKey } = options
  const bits: ClaimedBit[] = []
  for (const [place, text] of input.bits.entries()) {
    const bit = readBit(decodeHex(text), { publicKey, context: proofContext(id, contributor, place) })
    if (bit === undefined)
      return new CryptoError('AGGREGATE_INVALID', `$.bits[${place}]`, 'not proven to be 0 or 1')
    bits.push(bit)
  }
  if (one === null) return bits
  const pairs = onePairs(bits, publicKey)
  const context = oneContext(id, contributor)
  if (pairs !== undefined && verifyDiscreteLog({ pairs, context, proof: decodeHex(one) })) return bits
  return new CryptoError('AGGREGATE_INVALID', '$.one', 'not proven to name exactly one bin')
}

/** Proves that the bits of a histogram add up to one: the sum of the ciphertexts, less one, encrypts nothing. */
function proveOne(
  bits: readonly { readonly encrypted: EncryptedBit; readonly secret: bigint }[],
  options: {
    readonly publicKey: GroupElement
    readonly id: Digest
    readonly contributor: Address
    readonly random: Random
  },
): Uint8Array {
  const { publicKey, id, contributor, random } = options
  const secret = bits.reduce((sum, bit) => toScalar(sum + bit.secret), 0n)
  const pairs = onePairs(
    bits.map(({ encrypted }) => encrypted),
    publicKey,
  )
  if (pairs === undefined)
    throw new CryptoError('RANDOM_INVALID', 'random', 'the source of random bytes repeats itself')
  return proveDiscreteLog({ secret, pairs, context: oneContext(id, contributor), random })
}

function onePairs(bits: readonly EncryptedBit[], publicKey: GroupElement) {
  const first = bits.reduce((sum, bit) => sum.add(bit.first), identityElement())
  const second = bits.reduce((sum, bit) => sum.add(bit.second), identityElement()).subtract(generator())
  if (first.is0() || second.is0()) return undefined
  return [
    { base: generator(), image: first },
    { base: publicKey, image: second },
  ]
}

function proofContext(id: Digest, contributor: Address, place: number): Uint8Array {
  return hashParts('aggregate-bit', digestToBytes(id), decodeHex(contributor), bigEndian(place, 2))
}

function oneContext(id: Digest, contributor: Address): Uint8Array {
  return hashParts('aggregate-one', digestToBytes(id), decodeHex(contributor))
}

function contextOf(definition: AggregateDefinition, id: Digest): StatementContext {
  const { chainId, registry, pool } = definition
  return { chainId, registry, pool, subject: digestToHex(id), nonce: '0', facts: [] }
}
