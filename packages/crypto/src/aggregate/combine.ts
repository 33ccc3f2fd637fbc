import { merkleRoot } from '../commitment/merkle.js'
import { bytesToDigest, type Digest } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import { equalBytes } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import type { GroupElement } from '../threshold/group.js'
import { identityElement } from '../threshold/group.js'
import { namedSigner } from '../threshold/message.js'
import type { EncryptedBit } from './bit-proof.js'
import {
  type AggregateDefinition,
  aggregateDigest,
  parseAggregateDefinition,
  weightsOf,
} from './definition.js'
import { checkProofs, inputsAtOnce, readInput, type SignedInput } from './input.js'

/** An input that does not count, and why. */
export interface RefusedInput {
  /** Its place in the list. */
  readonly place: number
  readonly reason: string
}

/** The encrypted totals of all inputs that count. */
export interface EncryptedTotals {
  readonly id: Digest
  readonly definition: AggregateDefinition
  /** Merkle root over contributor and input digest of the inputs that count, in the order of their addresses. */
  readonly inputsRoot: Digest
  readonly contributors: number
  readonly totals: readonly EncryptedBit[]
  readonly refused: readonly RefusedInput[]
}

/**
 * Adds up inputs under encryption. Everybody who has the same inputs, in whatever order, gets the same totals: inputs
 * that are malformed, not proven or not signed do not count, and neither do two different inputs that one contributor signed.
 *
 * @param unchecked - the definition
 * @param inputs - of unknown origin
 * @returns totals, and what was refused
 * @throws CryptoError `AGGREGATE_INVALID` (definition); `COHORT_REFUSED` when fewer or more contributors count than
 *   the definition allows
 */
export function combineInputs(unchecked: AggregateDefinition, inputs: readonly unknown[]): EncryptedTotals {
  const definition = parseAggregateDefinition(unchecked)
  const id = aggregateDigest(definition)
  const { accepted, refused } = acceptInputs(inputs, { definition, id })
  const { minimumCohort, maximumCohort } = definition
  if (accepted.length < minimumCohort || accepted.length > maximumCohort) {
    const message = `${accepted.length}${accepted.length > maximumCohort ? ' or more' : ''} inputs count; the question takes ${minimumCohort} to ${maximumCohort}`
    throw new CryptoError('COHORT_REFUSED', 'inputs', message)
  }
  const totals = totalsOf(
    definition,
    accepted.map(({ bits }) => bits),
  )
  if (totals.some(({ first }) => first.is0())) {
    throw new CryptoError('AGGREGATE_INVALID', 'inputs', 'the inputs cancel each other; ask anew')
  }
  const leaves = accepted.map(({ leaf }) => leaf)
  return {
    id,
    definition,
    inputsRoot: bytesToDigest(merkleRoot(leaves)),
    contributors: accepted.length,
    totals,
    refused,
  }
}

interface AcceptedInput {
  readonly bits: readonly EncryptedBit[]
  readonly leaf: Uint8Array
}

const contradiction = 'the contributor published another input as well'

function acceptInputs(
  inputs: readonly unknown[],
  options: { readonly definition: AggregateDefinition; readonly id: Digest },
): { readonly accepted: readonly AcceptedInput[]; readonly refused: readonly RefusedInput[] } {
  const { candidates, refused } = candidatesOf(inputs, options)
  const accepted: AcceptedInput[] = []
  // Cheap things first, and no more proofs than count: anybody can sign, and have everybody compute.
  const step = inputsAtOnce(options.definition)
  for (let start = 0; start < candidates.length; start += step) {
    const part = candidates.slice(start, start + step)
    const results = checkProofs(
      part.map(({ input }) => input),
      options,
    )
    part.forEach(({ place, input: { leaf } }, at) => {
      const bits = results[at]
      if (bits instanceof CryptoError) refused.push({ place, reason: bits.message })
      else if (bits !== undefined) accepted.push({ bits, leaf })
    })
    if (accepted.length > options.definition.maximumCohort) break
  }
  refused.sort((left, right) => left.place - right.place)
  return { accepted, refused }
}

/** The signed inputs of those who may answer and signed one alone, by address. */
function candidatesOf(
  inputs: readonly unknown[],
  options: { readonly definition: AggregateDefinition; readonly id: Digest },
): {
  readonly candidates: readonly { readonly place: number; readonly input: SignedInput }[]
  readonly refused: RefusedInput[]
} {
  if (!Array.isArray(inputs)) throw new CryptoError('AGGREGATE_INVALID', 'inputs', 'expected an array')
  const refused: RefusedInput[] = []
  const found = new Map<Address, { readonly place: number; readonly input: SignedInput }[]>()
  const { contributors } = options.definition
  const eligible = contributors === null ? null : new Set<string>(contributors)
  inputs.forEach((value: unknown, place) => {
    try {
      if (eligible !== null && !eligible.has(namedSigner(value))) {
        refused.push({ place, reason: 'the contributor is not on the list of the question' })
        return
      }
      const known = found.get(namedSigner(value) as Address) ?? []
      if (known.length > 1) {
        refused.push({ place, reason: contradiction })
        return
      }
      const input = readInput(value, options)
      const own = found.get(input.contributor) ?? []
      // The same input twice is one; its signature may differ, what it says does not.
      if (own.some((other) => equalBytes(other.input.leaf, input.leaf)))
        refused.push({ place, reason: 'published before' })
      else found.set(input.contributor, [...own, { place, input }])
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
      refused.push({ place, reason: error.message })
    }
  })
  const candidates: { readonly place: number; readonly input: SignedInput }[] = []
  for (const own of found.values()) {
    if (own.length === 1) candidates.push(...own)
    else for (const { place } of own) refused.push({ place, reason: contradiction })
  }
  candidates.sort((left, right) => (left.input.contributor < right.input.contributor ? -1 : 1))
  return { candidates, refused }
}

function totalsOf(
  definition: AggregateDefinition,
  inputs: readonly (readonly EncryptedBit[])[],
): readonly EncryptedBit[] {
  const weights = weightsOf(definition.measure)
  const sums = weights.map((_, place) => ({
    first: inputs.reduce((sum, bits) => sum.add(bits[place]?.first ?? identityElement()), identityElement()),
    second: inputs.reduce(
      (sum, bits) => sum.add(bits[place]?.second ?? identityElement()),
      identityElement(),
    ),
  }))
  if (definition.measure.kind === 'histogram') return sums
  const weighted = (side: 'first' | 'second'): GroupElement =>
    sums.reduce(
      (sum, each, place) => sum.add(each[side].multiplyUnsafe(BigInt(weights[place] ?? 0))),
      identityElement(),
    )
  return [{ first: weighted('first'), second: weighted('second') }]
}
