import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonValue } from '../canonical-json/canonicalize.js'
import type { Digest } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import type { Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import { exactFields } from '../threshold/exact-fields.js'
import { parsePoint, pointHex } from '../threshold/group.js'
import type { ThresholdKey } from '../threshold/session.js'

/** What is added up: one number per contributor within bounds, or one vote per contributor for one of some bins. */
export type AggregateMeasure =
  | { readonly kind: 'sum'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'histogram'; readonly bins: number }

/** One question to many contributors. Its digest stands in every input, so no input counts for another question. */
export interface AggregateDefinition {
  readonly type: 'sealpool/aggregate'
  readonly version: 1
  readonly chainId: number
  /** The NodeRegistry, verifying contract of the contributors' signatures. */
  readonly registry: Address
  readonly pool: Address
  /** The committee's point; resharing does not change it. */
  readonly publicKey: Hex
  /**
   * The session of the committee that may decrypt. After a resharing the new members know nothing of what the old ones have
   * decrypted, so the question ends with its committee.
   */
  readonly session: Digest
  /** Digest of the question in words, or of the manifest that asks it. */
  readonly question: Digest
  readonly measure: AggregateMeasure
  /**
   * Who may answer, in lower case and ascending; null: anybody. Addresses cost nothing, so that without a list the smallest
   * cohort can be filled up with throwaway ones around a single person.
   */
  readonly contributors: readonly Address[] | null
  /** How many contributors there must be before anything is decrypted: at least 2, at most as many as are listed. */
  readonly minimumCohort: number
  /** How many there may be; with the measure it bounds the sum, which must stay below 2^36. */
  readonly maximumCohort: number
}

/** Most bins of a histogram. */
export const maximumBins = 256
/** Above the largest sum that is looked for; finding it takes about 2^19 curve additions at worst. */
export const sumBound: number = 2 ** 36

const fields = [
  'type',
  'version',
  'chainId',
  'registry',
  'pool',
  'publicKey',
  'session',
  'question',
  'measure',
  'contributors',
  'minimumCohort',
  'maximumCohort',
]

/**
 * Reads a definition of unknown origin.
 *
 * @param value - JSON
 * @returns the definition, every field checked and no others
 * @throws CryptoError `AGGREGATE_INVALID`, its place naming the field
 */
export function parseAggregateDefinition(value: unknown): AggregateDefinition {
  const code = 'AGGREGATE_INVALID'
  const reader = exactFields(value, fields, code, '$')
  if (reader.fields['type'] !== 'sealpool/aggregate' || reader.fields['version'] !== 1) {
    throw new CryptoError(code, '$.type', 'expected sealpool/aggregate, version 1')
  }
  const definition: AggregateDefinition = {
    type: 'sealpool/aggregate',
    version: 1,
    chainId: reader.whole('chainId', 1, Number.MAX_SAFE_INTEGER),
    registry: reader.address('registry'),
    pool: reader.address('pool'),
    publicKey: pointHex(parsePoint(reader.fields['publicKey'], code, '$.publicKey')),
    session: reader.digest('session'),
    question: reader.digest('question'),
    measure: parseMeasure(reader.fields['measure']),
    contributors:
      reader.fields['contributors'] === null
        ? null
        : parseContributors(reader.list('contributors', 2, 10_000)),
    minimumCohort: reader.whole('minimumCohort', 2, 10_000_000),
    maximumCohort: reader.whole('maximumCohort', 2, 10_000_000),
  }
  if (definition.maximumCohort < definition.minimumCohort) {
    throw new CryptoError(code, '$.maximumCohort', 'the largest cohort is smaller than the smallest')
  }
  const { measure, maximumCohort, contributors, minimumCohort } = definition
  if (contributors !== null && contributors.length < minimumCohort) {
    throw new CryptoError(code, '$.contributors', 'fewer may answer than must: the question stays closed')
  }
  if (
    measure.kind === 'sum' &&
    !Number.isSafeInteger(maximumCohort * Math.max(-measure.minimum, measure.maximum))
  ) {
    throw new CryptoError(code, '$.maximumCohort', 'the sum could pass 2^53; narrow the bounds or the cohort')
  }
  if (definition.maximumCohort * rangeOf(definition.measure) >= sumBound) {
    throw new CryptoError(code, '$.maximumCohort', 'the sum could reach 2^36; narrow the range or the cohort')
  }
  return definition
}

/**
 * What names a definition in its inputs.
 *
 * @param definition - the definition
 * @returns the SHA-256 of its canonical JSON
 * @throws CryptoError `AGGREGATE_INVALID`
 */
export function aggregateDigest(definition: AggregateDefinition): Digest {
  return digestOf(parseAggregateDefinition(definition) as unknown as JsonValue)
}

/**
 * How far a measure's counters reach.
 *
 * @param measure - the measure
 * @returns the largest number that one contributor adds to one counter
 */
export function rangeOf(measure: AggregateMeasure): number {
  return measure.kind === 'sum' ? measure.maximum - measure.minimum : 1
}

/**
 * What each encrypted bit of an input counts. The weights of a sum are powers of two but for the last, chosen so that
 * the bits reach the range exactly: a proof that each is 0 or 1 is then a proof that the number is in range.
 *
 * @param measure - the measure
 * @returns for each bit, its weight
 */
export function weightsOf(measure: AggregateMeasure): readonly number[] {
  if (measure.kind === 'histogram') return Array.from({ length: measure.bins }, () => 1)
  const range = rangeOf(measure)
  const weights: number[] = []
  let reached = 0
  while (reached < range) {
    const weight = Math.min(reached + 1, range - reached)
    weights.push(weight)
    reached += weight
  }
  return weights
}

/**
 * The bits of one contributor's value.
 *
 * @param measure - the measure
 * @param value - a number within bounds, or the place of a bin from 0
 * @returns 0 or 1 for each weight
 * @throws CryptoError `AGGREGATE_INVALID` for a value that is out of bounds; the message does not hold it
 */
export function bitsOf(measure: AggregateMeasure, value: number): readonly (0 | 1)[] {
  const [low, high] = measure.kind === 'sum' ? [measure.minimum, measure.maximum] : [0, measure.bins - 1]
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw new CryptoError('AGGREGATE_INVALID', 'value', `expected a whole number from ${low} to ${high}`)
  }
  if (measure.kind === 'histogram')
    return Array.from({ length: measure.bins }, (_, bin) => (bin === value ? 1 : 0))
  let rest = value - low
  // The largest weights first; what is left always fits into the smaller ones.
  return weightsOf(measure)
    .map((weight, place) => ({ weight, place }))
    .sort((left, right) => right.weight - left.weight || right.place - left.place)
    .map(({ weight, place }) => {
      const bit: 0 | 1 = rest >= weight ? 1 : 0
      rest -= bit * weight
      return { bit, place }
    })
    .sort((left, right) => left.place - right.place)
    .map(({ bit }) => bit)
}

function parseContributors(values: readonly JsonValue[]): readonly Address[] {
  return values.map((value, place) => {
    const text = typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value) ? value : ''
    const before = values[place - 1]
    if (text === '' || (typeof before === 'string' && before >= text)) {
      throw new CryptoError(
        'AGGREGATE_INVALID',
        `$.contributors[${place}]`,
        'expected addresses in lower case, ascending',
      )
    }
    return text as Address
  })
}

function parseMeasure(value: JsonValue | undefined): AggregateMeasure {
  const code = 'AGGREGATE_INVALID'
  const place = '$.measure'
  const kind = (value as { readonly kind?: JsonValue } | null | undefined)?.kind
  if (kind === 'histogram') {
    return { kind, bins: exactFields(value, ['kind', 'bins'], code, place).whole('bins', 2, maximumBins) }
  }
  if (kind !== 'sum') throw new CryptoError(code, `${place}.kind`, 'expected sum or histogram')
  const reader = exactFields(value, ['kind', 'minimum', 'maximum'], code, place)
  const limit = 2 ** 40
  const minimum = reader.whole('minimum', -limit, limit)
  return { kind, minimum, maximum: reader.whole('maximum', minimum + 1, minimum + 2 ** 32 - 1) }
}

/**
 * Refuses a question that was asked of another committee.
 *
 * @param definition - a checked definition
 * @param key - a checked key
 * @throws CryptoError `AGGREGATE_INVALID`
 */
export function requireCommittee(definition: AggregateDefinition, key: ThresholdKey): void {
  for (const name of ['publicKey', 'session', 'chainId', 'registry', 'pool'] as const) {
    if (definition[name] === key[name]) continue
    const why =
      'the question was asked of another committee, or before this one took over the key: ask it anew'
    throw new CryptoError('AGGREGATE_INVALID', `$.${name}`, why)
  }
}
