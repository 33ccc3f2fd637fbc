import { type Digest, digestToBytes } from '../digest/digest.js'
import { bigEndian, type Random } from '../encoding/bytes.js'
import type { Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { exactFields } from '../threshold/exact-fields.js'
import { type GroupElement, hashParts } from '../threshold/group.js'
import { combineParts, decryptPointPartially } from '../threshold/partial-decryption.js'
import { parseThresholdKey, type ThresholdKey } from '../threshold/session.js'
import type { ThresholdShare } from '../threshold/share.js'
import { requireClaims } from './claim.js'
import { combineInputs, type EncryptedTotals, type RefusedInput } from './combine.js'
import { type AggregateDefinition, rangeOf, requireCommittee } from './definition.js'
import { smallDiscreteLogs } from './discrete-log.js'

/** One member's part of decrypting the totals of one question. JSON throughout. */
export interface AggregatePart {
  readonly definition: Digest
  readonly inputsRoot: Digest
  /** The member's place in the key's list, from 1. */
  readonly member: number
  /** For each total, point and proof. */
  readonly points: readonly { readonly point: Hex; readonly proof: Hex }[]
}

/** What all the members' parts together tell. */
export interface AggregateResult {
  readonly definition: Digest
  readonly inputsRoot: Digest
  readonly contributors: number
  /** The one sum, or the count of each bin. */
  readonly values: readonly number[]
}

/**
 * A member's part of decrypting totals, which it computes itself from the inputs: it never decrypts a ciphertext that
 * it was handed. It gives a part only for inputs that a quorum has claimed; otherwise two sets that differ by one
 * contributor would tell that contributor's answer.
 *
 * @param options - the member's `share`; `definition` and `inputs`; `claims`: of the members, from `claimInputs`; `random`
 * @returns the part
 * @throws CryptoError `AGGREGATE_INVALID` (definition, or another committee's question), `COHORT_REFUSED`,
 *   `CLAIMS_MISSING` when too few members claim these inputs, `SESSION_INVALID`, `SHARE_INVALID`, `KEY_INVALID`,
 *   `RANDOM_INVALID`
 */
export async function decryptTotalsPartially(options: {
  readonly share: ThresholdShare
  readonly definition: AggregateDefinition
  readonly inputs: readonly unknown[]
  readonly claims: readonly unknown[]
  readonly random: Random
}): Promise<AggregatePart> {
  requireOptions(options)
  const { inputs, claims, random } = options
  const key = parseThresholdKey(requireOptions(options.share, 'share').key)
  const share = { ...options.share, key }
  const totals = combineInputs(options.definition, inputs)
  requireCommittee(totals.definition, key)
  requireClaims(claims, { totals, key })
  const points = totals.totals.map(({ first }, place) => {
    const { point, proof } = decryptPointPartially({
      share,
      point: first,
      context: contextOf(totals, place),
      random,
    })
    return { point, proof }
  })
  return { definition: totals.id, inputsRoot: totals.inputsRoot, member: share.index, points }
}

/**
 * Decrypts totals from the members' parts.
 *
 * @param options - the committee's `key`; `definition` and `inputs`; `parts`: of unknown origin, of which the first four in each
 *   member's name are looked at, for they are not signed: let nobody else send in a member's name
 * @returns the `result`; the places of `wrong` parts in the list; the `refused` inputs
 * @throws CryptoError `AGGREGATE_INVALID`, `COHORT_REFUSED`, `SHARES_MISSING`, `SESSION_INVALID`
 */
export function combineAggregateParts(options: {
  readonly key: ThresholdKey
  readonly definition: AggregateDefinition
  readonly inputs: readonly unknown[]
  readonly parts: readonly unknown[]
}): {
  readonly result: AggregateResult
  readonly wrong: readonly number[]
  readonly refused: readonly RefusedInput[]
} {
  requireOptions(options)
  const key = parseThresholdKey(options.key)
  const totals = combineInputs(options.definition, options.inputs)
  requireCommittee(totals.definition, key)
  const { images, wrong } = openTotals(options.parts, { key, totals })
  const { measure } = totals.definition
  const found = smallDiscreteLogs(images, totals.contributors * rangeOf(measure))
  const shift = measure.kind === 'sum' ? measure.minimum * totals.contributors : 0
  const result = {
    definition: totals.id,
    inputsRoot: totals.inputsRoot,
    contributors: totals.contributors,
    values: found.map((value) => value + shift),
  }
  return { result, wrong, refused: totals.refused }
}

/**
 * The totals in the exponent, as the parts open them.
 *
 * @param parts - of unknown origin
 * @param options - a checked `key` and the `totals`
 * @returns what is in each total, and the places of wrong parts
 * @throws CryptoError `SHARES_MISSING`
 */
export function openTotals(
  parts: readonly unknown[],
  options: { readonly key: ThresholdKey; readonly totals: EncryptedTotals },
): { readonly images: readonly GroupElement[]; readonly wrong: readonly number[] } {
  const { key, totals } = options
  if (!Array.isArray(parts)) throw new CryptoError('SHARES_MISSING', 'parts', 'expected an array')
  const read = parts.map((part: unknown) => readPart(part, totals))
  const wrong = new Set(read.flatMap((part, place) => (part === undefined ? [place] : [])))
  const images = totals.totals.map(({ first, second }, total) => {
    const partials = read.map((part) =>
      part === undefined ? null : { member: part.member, ...part.points[total] },
    )
    const combined = combineParts(partials, { key, point: first, context: contextOf(totals, total) })
    for (const place of combined.wrong) wrong.add(place)
    return second.subtract(combined.agreement)
  })
  return { images, wrong: [...wrong].sort((left, right) => left - right) }
}

function readPart(value: unknown, totals: EncryptedTotals): AggregatePart | undefined {
  const code = 'AGGREGATE_INVALID'
  try {
    const reader = exactFields(value, ['definition', 'inputsRoot', 'member', 'points'], code, '$')
    if (reader.digest('definition') !== totals.id || reader.digest('inputsRoot') !== totals.inputsRoot)
      return undefined
    const count = totals.totals.length
    const points = reader.list('points', count, count).map((point, place) => {
      const { fields } = exactFields(point, ['point', 'proof'], code, `$.points[${place}]`)
      return { point: fields['point'] as Hex, proof: fields['proof'] as Hex }
    })
    return {
      definition: totals.id,
      inputsRoot: totals.inputsRoot,
      member: reader.whole('member', 1, 65_535),
      points,
    }
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

function contextOf(totals: EncryptedTotals, place: number): Uint8Array {
  return hashParts(
    'aggregate-part',
    digestToBytes(totals.id),
    digestToBytes(totals.inputsRoot),
    bigEndian(place, 2),
  )
}
