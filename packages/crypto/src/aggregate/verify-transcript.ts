import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonValue } from '../canonical-json/canonicalize.js'
import { CryptoError } from '../errors.js'
import { concludeSession, type SessionTranscript } from '../threshold/conclude.js'
import { type GroupElement, generator } from '../threshold/group.js'
import { parseThresholdSession, type ThresholdKey, type ThresholdSession } from '../threshold/session.js'
import { type AggregateResult, openTotals } from './decrypt.js'
import { type AggregateDefinition, parseAggregateDefinition, rangeOf } from './definition.js'

/** Everything that was published about one question, from the birth of the key to the answer. */
export interface AggregateTranscript {
  /** The session that made the key, and those that reshared it, in order. */
  readonly sessions: readonly { readonly session: ThresholdSession; readonly transcript: SessionTranscript }[]
  readonly definition: AggregateDefinition
  readonly inputs: readonly unknown[]
  readonly parts: readonly unknown[]
  readonly result: AggregateResult
}

/** The steps of {@link verifyTranscript}, in order. */
export type TranscriptStep = 'key' | 'inputs' | 'parts' | 'result'

/** What {@link verifyTranscript} found. */
export interface TranscriptVerdict {
  readonly ok: boolean
  /** The first step that failed. */
  readonly failed: TranscriptStep | null
  /** Why it failed. */
  readonly reason: string | null
}

/**
 * Checks a whole aggregation from public values alone: that the key came of its sessions, that every input that
 * counts is signed and proven, that enough members' parts are honest, and that the result is what they open.
 *
 * @param transcript - of unknown origin
 * @returns the verdict; it trusts nobody but the reader's own copy of `definition`
 */
export function verifyTranscript(transcript: AggregateTranscript): TranscriptVerdict {
  const { definition, inputs, parts, result } = transcript
  if (!Array.isArray(transcript.sessions) || !Array.isArray(result?.values)) {
    return { ok: false, failed: 'key', reason: 'not a transcript: sessions and result.values are arrays' }
  }
  let step: TranscriptStep = 'key'
  const fail = (reason: string): TranscriptVerdict => ({ ok: false, failed: step, reason })
  try {
    const key = keyOf(transcript.sessions)
    if (typeof key === 'string') return fail(key)
    step = 'inputs'
    parseAggregateDefinition(definition as unknown as JsonValue)
    if (definition.publicKey !== key.publicKey) return fail('the question was asked under another key')
    const places = ['chainId', 'registry', 'pool'] as const
    const elsewhere = transcript.sessions.some(({ session }) =>
      places.some((name) => session[name] !== definition[name]),
    )
    if (elsewhere) return fail('the key was made for another chain or pool than the question')
    step = 'parts'
    const { totals, images } = openTotals({ key, definition, inputs, parts })
    step = 'result'
    const expected = {
      definition: totals.id,
      inputsRoot: totals.inputsRoot,
      contributors: totals.contributors,
      values: result.values,
    }
    if (digestOf(result as unknown as JsonValue) !== digestOf(expected)) {
      return fail('the result is of another question, other inputs or another number of contributors')
    }
    const { measure } = totals.definition
    const shift = measure.kind === 'sum' ? measure.minimum * totals.contributors : 0
    const right = images.every((image, place) => {
      return holds(
        image,
        (result.values[place] ?? Number.NaN) - shift,
        totals.contributors * rangeOf(measure),
      )
    })
    if (!right || images.length !== result.values.length) return fail('the parts open to something else')
    return { ok: true, failed: null, reason: null }
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    if (error.code === 'AGGREGATE_INVALID' || error.code === 'COHORT_REFUSED') step = 'inputs'
    return fail(error.message)
  }
}

function keyOf(sessions: AggregateTranscript['sessions']): ThresholdKey | string {
  let key: ThresholdKey | null = null
  for (const entry of sessions) {
    if (typeof entry !== 'object' || entry === null) return 'a session is an object with its transcript'
    const { session, transcript } = entry
    const previous = parseThresholdSession(session as unknown as JsonValue).previous as JsonValue
    if (digestOf(previous) !== digestOf(key as JsonValue))
      return 'a session does not follow on the one before it'
    key = concludeSession(session, transcript).key
    if (key === null) return 'no key came of a session'
  }
  return key ?? 'there is no session from which the key came'
}

function holds(image: GroupElement, value: number, bound: number): boolean {
  if (!Number.isSafeInteger(value) || value < 0 || value > bound) return false
  return value === 0 ? image.is0() : image.equals(generator().multiplyUnsafe(BigInt(value)))
}
