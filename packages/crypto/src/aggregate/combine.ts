import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import type { JsonValue } from '../canonical-json/canonicalize.js'
import { merkleRoot } from '../commitment/merkle.js'
import { bytesToDigest, type Digest } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import { CryptoError } from '../errors.js'
import type { GroupElement } from '../threshold/group.js'
import { identityElement } from '../threshold/group.js'
import type { EncryptedBit } from './bit-proof.js'
import {
  type AggregateDefinition,
  aggregateDigest,
  parseAggregateDefinition,
  weightsOf,
} from './definition.js'
import { type CheckedInput, readInput } from './input.js'

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
 * that are malformed, not proven or not signed do not count, and neither do two different inputs of one contributor.
 *
 * @param unchecked - the definition
 * @param inputs - of unknown origin
 * @returns totals, and what was refused
 * @throws CryptoError `AGGREGATE_INVALID` (definition); `COHORT_REFUSED` when fewer or more contributors count than
 *   the definition allows
 */
export function combineInputs(unchecked: AggregateDefinition, inputs: readonly unknown[]): EncryptedTotals {
  const definition = parseAggregateDefinition(unchecked as unknown as JsonValue)
  const id = aggregateDigest(definition)
  const { accepted, refused } = acceptInputs(inputs, { definition, id })
  const { minimumCohort, maximumCohort } = definition
  if (accepted.length < minimumCohort || accepted.length > maximumCohort) {
    const message = `${accepted.length} inputs count; the question takes ${minimumCohort} to ${maximumCohort}`
    throw new CryptoError('COHORT_REFUSED', 'inputs', message)
  }
  const totals = totalsOf(
    definition,
    accepted.map(({ input }) => input.bits),
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
  readonly input: CheckedInput
  readonly leaf: Uint8Array
}

function acceptInputs(
  inputs: readonly unknown[],
  options: { readonly definition: AggregateDefinition; readonly id: Digest },
): { readonly accepted: readonly AcceptedInput[]; readonly refused: readonly RefusedInput[] } {
  if (!Array.isArray(inputs)) throw new CryptoError('AGGREGATE_INVALID', 'inputs', 'expected an array')
  const refused: RefusedInput[] = []
  const found = new Map<
    Address,
    { readonly place: number; readonly leaf: Uint8Array; readonly input: CheckedInput }[]
  >()
  const { contributors } = options.definition
  const eligible = contributors === null ? null : new Set(contributors)
  inputs.forEach((value, place) => {
    try {
      const input = readInput(value, options)
      if (eligible !== null && !eligible.has(input.contributor)) {
        refused.push({ place, reason: 'the contributor is not on the list of the question' })
        return
      }
      const leaf = canonicalBytes((value as { statement: JsonValue }).statement)
      const own = found.get(input.contributor) ?? []
      // The same input twice is one; its signature may differ, what it says does not.
      if (own.some((other) => equalText(other.leaf, leaf)))
        refused.push({ place, reason: 'published before' })
      else found.set(input.contributor, [...own, { place, leaf, input }])
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
      refused.push({ place, reason: error.message })
    }
  })
  const accepted: (AcceptedInput & { readonly contributor: Address })[] = []
  for (const [contributor, own] of found) {
    const [only, ...others] = own
    if (only !== undefined && others.length === 0) accepted.push({ contributor, ...only })
    else
      for (const { place } of own)
        refused.push({ place, reason: 'the contributor published another input as well' })
  }
  accepted.sort((left, right) => (left.contributor < right.contributor ? -1 : 1))
  refused.sort((left, right) => left.place - right.place)
  return { accepted, refused }
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

function equalText(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
