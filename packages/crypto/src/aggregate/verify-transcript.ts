import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, parseDigest } from '../digest/digest.js'
import { isList, requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { concludeSession, type SessionTranscript } from '../threshold/conclude.js'
import { exactFields } from '../threshold/exact-fields.js'
import { type GroupElement, generator } from '../threshold/group.js'
import { parseThresholdSession, type ThresholdKey, type ThresholdSession } from '../threshold/session.js'
import { requireClaims } from './claim.js'
import { combineInputs } from './combine.js'
import { type AggregateResult, openTotals } from './decrypt.js'
import {
  type AggregateDefinition,
  aggregateDigest,
  parseAggregateDefinition,
  requireCommittee,
} from './definition.js'

/** Everything that was published about one question, from the birth of the key to the answer. */
export interface AggregateTranscript {
  /** The session that made the key, and those that reshared it, in order. */
  readonly sessions: readonly { readonly session: ThresholdSession; readonly transcript: SessionTranscript }[]
  readonly definition: AggregateDefinition
  readonly inputs: readonly unknown[]
  /** The members' claims of these inputs, from `claimInputs`. */
  readonly claims: readonly unknown[]
  readonly parts: readonly unknown[]
  readonly result: AggregateResult
}

/** The steps of {@link verifyTranscript}, in order. */
export type TranscriptStep = 'key' | 'definition' | 'inputs' | 'claims' | 'parts' | 'result'

/** What {@link verifyTranscript} found. */
export interface TranscriptVerdict {
  readonly ok: boolean
  /** The first step that failed. */
  readonly failed: TranscriptStep | null
  /** Why it failed. */
  readonly reason: string | null
}

/**
 * Checks a whole aggregation from public values alone: that the key came of its sessions, that the question is the one that
 * the reader knows, that every input that counts is signed and proven, that a quorum claimed these inputs, that enough
 * members' parts are honest, and that the result is what they open. That the rounds of a session were closed one after the
 * other cannot be seen in a transcript.
 *
 * @param transcript - of unknown origin. Of the `parts` in a member's name the first four are looked at, for they are not signed
 *   and anybody could add more: whoever collects them lets nobody else send in a member's name
 * @param options - `expect.definition`: digest of the question (`aggregateDigest`) from a source that the reader trusts; it
 *   names chain, pool, committee and cohort too, and without it anybody's own committee of two would pass
 * @returns the verdict
 * @throws CryptoError `DIGEST_INVALID` when the expectation is no digest, `OPTION_INVALID` when there is none
 */
export function verifyTranscript(
  transcript: AggregateTranscript,
  options: { readonly expect: { readonly definition: Digest } },
): TranscriptVerdict {
  const { definition: wanted } = requireOptions(requireOptions(options).expect, 'expect')
  const expected = parseDigest(wanted, 'expect.definition')
  let step: TranscriptStep = 'key'
  const fail = (reason: string): TranscriptVerdict => ({ ok: false, failed: step, reason })
  try {
    const names = ['sessions', 'definition', 'inputs', 'claims', 'parts', 'result']
    const { fields } = exactFields(transcript, names, 'TRANSCRIPT_INVALID', '$')
    const key = keyOf(fields['sessions'])
    step = 'definition'
    const definition = parseAggregateDefinition(fields['definition'] ?? null)
    if (aggregateDigest(definition) !== expected)
      return fail('the question is another one than the reader expects')
    requireCommittee(definition, key)
    step = 'inputs'
    const totals = combineInputs(definition, fields['inputs'] as readonly unknown[])
    step = 'claims'
    requireClaims(fields['claims'] as readonly unknown[], { totals, key })
    step = 'parts'
    const { images } = openTotals(fields['parts'] as readonly unknown[], { key, totals })
    step = 'result'
    const result = exactFields(fields['result'], resultFields, 'TRANSCRIPT_INVALID', '$.result')
    const values = result.list('values', images.length, images.length)
    const { id, inputsRoot, contributors } = totals
    const same =
      result.fields['definition'] === id &&
      result.fields['inputsRoot'] === inputsRoot &&
      result.fields['contributors'] === contributors
    if (!same)
      return fail('the result is of another question, other inputs or another number of contributors')
    const { measure } = definition
    const shift = measure.kind === 'sum' ? measure.minimum * contributors : 0
    const right = images.every((image, place) => holds(image, values[place], shift))
    return right ? { ok: true, failed: null, reason: null } : fail('the parts open to something else')
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    return fail(error.message)
  }
}

const roundNames = ['commitments', 'deals', 'complaints']
const resultFields = ['definition', 'inputsRoot', 'contributors', 'values']

function keyOf(sessions: unknown): ThresholdKey {
  const refuse = (why: string) => new CryptoError('TRANSCRIPT_INVALID', '$.sessions', why)
  if (!isList(sessions)) throw refuse('expected an array')
  let key: ThresholdKey | null = null
  for (const [place, entry] of sessions.entries()) {
    const at = `$.sessions[${place}]`
    const { fields } = exactFields(entry, ['session', 'transcript'], 'TRANSCRIPT_INVALID', at)
    const session = parseThresholdSession(fields['session'] ?? null)
    if (digestOf(session.previous as JsonValue) !== digestOf(key as JsonValue))
      throw refuse('a session does not follow on the one before it')
    // Nobody may take for published, or for checked, what stands beside the three rounds.
    const rounds = exactFields(fields['transcript'], roundNames, 'TRANSCRIPT_INVALID', `${at}.transcript`)
    key = concludeSession(session, rounds.fields as unknown as SessionTranscript).key
    if (key === null) throw refuse('no key came of a session')
  }
  if (key === null) throw refuse('there is no session from which the key came')
  return key
}

function holds(image: GroupElement, value: unknown, shift: number): boolean {
  if (!Number.isSafeInteger(value)) return false
  const count = (value as number) - shift
  // No more is in the image than its inputs are proven to hold, so that a greater number is another one.
  if (count < 0) return false
  return count === 0 ? image.is0() : image.equals(generator().multiplyUnsafe(BigInt(count)))
}
