import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, digestToBytes, digestToHex } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { bigEndian, type Random } from '../encoding/bytes.js'
import { decodeHex, encodeHex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import { addressOf } from '../statement/signature.js'
import {
  parseSignedStatement,
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
import { type EncryptedBit, encryptBit, provenBitLength, readBit } from './bit-proof.js'
import {
  type AggregateDefinition,
  aggregateDigest,
  bitsOf,
  parseAggregateDefinition,
  weightsOf,
} from './definition.js'

const inputType = 'sealpool/aggregate-input'

/**
 * A contributor's answer: every bit encrypted to the committee, with a proof that the answer is within bounds, and
 * signed. It can be published: it tells that the contributor took part, and not what it said.
 *
 * @param options - `definition`; `value`: a whole number within bounds (sum), or the place of a bin from 0
 *   (histogram); `signingKey`: the contributor's, 32 bytes; `random`: source of random bytes
 * @returns the signed input; about 390 characters for each bit
 * @throws CryptoError `AGGREGATE_INVALID` (definition, or a value out of bounds), `KEY_INVALID`, `RANDOM_INVALID`
 */
export function encryptInput(options: {
  readonly definition: AggregateDefinition
  readonly value: number
  readonly signingKey: Uint8Array
  readonly random: Random
}): SignedStatement {
  const { value, signingKey, random } = options
  const definition = parseAggregateDefinition(options.definition as unknown as JsonValue)
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

/** An input that was found good. */
export interface CheckedInput {
  readonly contributor: Address
  readonly bits: readonly EncryptedBit[]
}

/**
 * Reads an input of unknown origin and checks signature and proofs.
 *
 * @param value - JSON
 * @param options - a checked `definition` and its digest `id`
 * @returns contributor and ciphertexts
 * @throws CryptoError `AGGREGATE_INVALID`, its place naming what is wrong
 */
export function readInput(
  value: unknown,
  options: { readonly definition: AggregateDefinition; readonly id: Digest },
): CheckedInput {
  const { definition, id } = options
  const refuse = (place: string, why: string) => new CryptoError('AGGREGATE_INVALID', place, why)
  const { contributor, body } = readSigned(value, { definition, id, refuse })
  const reader = exactFields(body, ['contributor', 'bits', 'one'], 'AGGREGATE_INVALID', '$')
  // The proofs are bound to the name in the body, the signature to the signer: both must be one.
  if (reader.address('contributor') !== contributor) throw refuse('$.contributor', 'signed by somebody else')
  const publicKey = parsePoint(definition.publicKey, 'AGGREGATE_INVALID', '$.publicKey')
  const count = weightsOf(definition.measure).length
  const bits = reader.list('bits', count, count).map((text, place) => {
    const at = `$.bits[${place}]`
    if (typeof text !== 'string' || text.length !== 2 + 2 * provenBitLength || !/^0x[0-9a-f]*$/.test(text)) {
      throw refuse(at, `expected ${provenBitLength} bytes in lower-case hex`)
    }
    const bit = readBit(decodeHex(text), { publicKey, context: proofContext(id, contributor, place) })
    if (bit === undefined) throw refuse(at, 'not proven to be 0 or 1')
    return bit
  })
  if (definition.measure.kind === 'sum') {
    if (reader.fields['one'] !== null) throw refuse('$.one', 'a sum has no such proof')
  } else {
    const pairs = onePairs(bits, publicKey)
    const proof = reader.bytes('one', discreteLogProofLength)
    const proven =
      pairs !== undefined && verifyDiscreteLog({ pairs, context: oneContext(id, contributor), proof })
    if (!proven) throw refuse('$.one', 'not proven to name exactly one bin')
  }
  return { contributor, bits }
}

function readSigned(
  value: unknown,
  options: {
    readonly definition: AggregateDefinition
    readonly id: Digest
    readonly refuse: (place: string, why: string) => CryptoError
  },
): { readonly contributor: Address; readonly body: JsonObject } {
  const { definition, id, refuse } = options
  let signed: SignedStatement
  try {
    signed = parseSignedStatement(value as JsonValue)
  } catch {
    throw refuse('$', 'not a signed statement')
  }
  const { statement, context, signer } = signed
  if (statement.type !== inputType || statement.version !== 1)
    throw refuse('$.statement', `expected ${inputType}, version 1`)
  const expected = contextOf(definition, id)
  const names = ['chainId', 'registry', 'pool', 'subject', 'nonce'] as const
  const same = names.every(
    (name) => String(context[name]).toLowerCase() === String(expected[name]).toLowerCase(),
  )
  if (!same || context.facts.length > 0)
    throw refuse('$.context', 'an input to another question, pool or chain')
  if (!verifyStatement(signed)) throw refuse('$.signature', 'the signature is not its signer’s')
  return { contributor: parseAddress(signer), body: statement.body }
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
