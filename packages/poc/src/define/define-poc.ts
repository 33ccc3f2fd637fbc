import type { AuthenticitySource } from '../authenticity/source.js'
import { readCsv } from '../csv/read-csv.js'
import { assertSound, dimensions } from './assert-sound.js'
import type { Check, CheckContext, CheckResult, Dimension, Facts, Issuer } from './check.js'
import { Refusal, UNNAMED_REFUSAL } from './refusal.js'
import { askScreens, type Screen } from './screen.js'

/** A JSON value. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** A proof of contribution as its builder writes it. */
export interface PocDefinition<Value> {
  /** Name, for example `wage-pools/payroll`. */
  readonly id: string
  /** Version, for example `1.0.0`. */
  readonly version: string
  /**
   * Whose signatures count. When present, an export that is not `{ issuer, payload, signature }` signed by one of them
   * is refused, and `authenticity` is 1 unless checks say otherwise.
   */
  readonly issuers?: readonly Issuer[]
  /**
   * Where authenticity comes from (DKIM, JWS, credentials, ...), with the keys that are trusted: both are covered by the digest that
   * the pool approves. The host verifies; an export that no source finds authentic is refused with `NOT_AUTHENTIC`, and
   * `authenticity` is the greatest share of authentic parts unless checks say otherwise.
   */
  readonly sources?: readonly AuthenticitySource[]
  /**
   * Turns the file into the value that checks look at, and throws when it cannot. JSON comes parsed, CSV as a list of
   * objects by column, anything else as text. A schema with `parse` (`zod/mini`) does. A function gets the facts as well, so that it
   * can leave out what no source found authentic, once and for all checks: see `authenticMail`.
   */
  readonly input:
    | ((raw: unknown, context: CheckContext) => Value)
    | { readonly parse: (raw: unknown) => Value }
  /**
   * What of the file is paid for, row by row: the host compares these items, and no others, with what the pool holds, so that a column
   * that a contributor adds, or another wrapping, makes nothing new. Numbers count with two significant digits there: give times, positions and exact amounts through `inSteps`.
   * Without `items` the file is compared as it is.
   */
  readonly items?: (value: Value) => readonly unknown[]
  /**
   * Account that the export is of, as its authentic part names it; null when it names none. The host asks the pool's register; an account
   * that another wallet holds is refused with `ACCOUNT_OF_ANOTHER_WALLET`.
   */
  readonly account?: (value: Value) => { readonly provider: string; readonly account: string } | null
  /** Checks by name. */
  readonly checks: Readonly<Record<string, Check<Value>>>
  /** Share of each check among those of its dimension, by name, finite and at least 0; 1, or what the check's result says, when absent. */
  readonly weights?: Readonly<Record<string, number>>
  /**
   * How much each dimension counts, at least 0. The score is the weighted mean, so it can only grow when a check does
   * better: monotone by construction.
   */
  readonly score: Readonly<Partial<Record<Dimension, number>>>
  /**
   * Dimensions that the weighted mean of the others is multiplied by; a dimension is a factor or has a weight in `score`, not both. With
   * `['uniqueness']` a copy of which a tenth is new is worth a tenth, however authentic it is. The score stays monotone.
   */
  readonly factors?: readonly Dimension[]
  /**
   * Below this score the contribution is refused with `SCORE_TOO_LOW`; 0 when absent. The score before screens counts: what they guess
   * must not decide.
   */
  readonly minimumScore?: number
  /** Heuristics for made-up and poisoned data, by name: they ask for a review, and never refuse. Their names are no check's. */
  readonly screens?: Readonly<Record<string, Screen<Value>>>
  /** Most that a suspicion of 1 takes off `quality`, 0 to `MOST_SCREEN_LOSS`; 0 when absent: then screens cost nothing. */
  readonly screenLoss?: number
  /** Facts worth publishing: numbers, booleans and words that stand in this code (categories), never raw text. */
  readonly attributes?: (value: Value) => { readonly [name: string]: JsonValue }
  /** The like of `attributes` for what goes on chain beside the score; the existing network keeps the two apart. */
  readonly metadata?: (value: Value) => { readonly [name: string]: JsonValue }
}

/** What the host hands to `evaluate`. */
export interface EvaluateInput {
  readonly file: { readonly mediaType: string; readonly text: string }
  readonly facts: Facts
}

/** What the host looks up before it asks for a verdict. */
export interface PocExamination {
  readonly account: { readonly provider: string; readonly account: string } | null
  readonly items: readonly unknown[] | null
}

/** What one check found, as it stands in a verdict. */
export interface Evidence {
  readonly check: string
  /** `review` comes from screens alone: somebody should look. */
  readonly result: 'pass' | 'partial' | 'fail' | 'not-checked' | 'review'
  readonly place: string
  /** How much of it is fulfilled, 0 to 1 in hundredths, so that it tells little of a value; absent where there is only yes and no. */
  readonly degree?: number
  /** A screen said so, by how the file looks: it may be wrong, and decides nothing. */
  readonly heuristic?: true
}

/** The part of a verdict that the code decides. */
export interface VerdictPart {
  readonly valid: boolean
  readonly score: number
  readonly authenticity: number
  readonly ownership: number
  readonly quality: number
  readonly uniqueness: number
  readonly attributes: { readonly [name: string]: JsonValue }
  readonly metadata?: { readonly [name: string]: JsonValue }
  readonly refusal: { readonly code: string; readonly place: string } | null
  readonly evidence: readonly Evidence[]
}

/** What a bundle says about itself. */
export interface PocDescription {
  readonly id: string
  readonly version: string
  readonly issuers: readonly Issuer[]
  readonly sources: readonly AuthenticitySource[]
  /** What `examine` gives: nothing, items, an account, or both. */
  readonly examines: readonly ('account' | 'items')[]
}

/** The default export of a builder's module: the entries that the host calls. */
export interface Poc {
  readonly evaluate: (input: EvaluateInput) => VerdictPart
  /** Account and items of the file, for the host to look up; null where the definition has none or the file is refused. */
  readonly examine: (input: EvaluateInput) => PocExamination
  readonly describe: () => PocDescription
}

/**
 * Defines a proof of contribution. Default-export the result; `bundlePoc` makes it one script whose digest a pool
 * approves.
 *
 * A dimension's value is the weighted mean of its checks. A dimension without checks is 0, except what the host's facts
 * say: `authenticity` is 1 with a valid issuer signature or the share that a source found authentic, `uniqueness` is the novelty
 * that the pool's index tells, or 1 unless the pool holds the same content.
 *
 * @param definition input, checks and score
 * @returns the entries `evaluate`, `examine` and `describe`
 * @throws TypeError when the definition contradicts itself
 * @example
 * ```ts
 * import { definePoc, refuse } from '@sealpool/poc/define'
 * const poc = definePoc({
 *   id: 'steps', version: '1.0.0',
 *   input: (raw) => (Array.isArray(raw) ? raw.length : refuse('WRONG_SHAPE', 'file')),
 *   checks: { enough: (days) => ({ passed: days >= 7, degree: Math.min(1, days / 7), place: 'days' }) },
 *   score: { quality: 1 },
 * })
 * const file = { mediaType: 'application/json', text: '[1,2,3,4,5,6,7]' }
 * console.log(poc.evaluate({ file, facts: { uniqueness: { duplicate: false }, owner: '0x00' } }).score) // 1
 * ```
 */
export function definePoc<Value>(definition: PocDefinition<Value>): Poc {
  assertSound(definition)
  return {
    describe: () => ({
      id: definition.id,
      version: definition.version,
      issuers: (definition.issuers ?? []).map(({ name, ed25519PublicKey }) => ({ name, ed25519PublicKey })),
      sources: definition.sources ?? [],
      examines: (['account', 'items'] as const).filter((name) => definition[name] !== undefined),
    }),
    examine({ file, facts }) {
      try {
        const value = parse(definition, readFile(file), { facts, mediaType: file.mediaType })
        return { account: definition.account?.(value) ?? null, items: definition.items?.(value) ?? null }
      } catch (error) {
        // The verdict will say so.
        if (error instanceof Refusal) return { account: null, items: null }
        throw error
      }
    },
    evaluate(input) {
      try {
        return judge(definition, input)
      } catch (error) {
        if (error instanceof Refusal) return refused(error.code, error.place, [])
        throw error
      }
    },
  }
}

function judge<Value>(definition: PocDefinition<Value>, { file, facts }: EvaluateInput): VerdictPart {
  const raw = readFile(file)
  const evidence: Evidence[] = []
  if (definition.issuers !== undefined) {
    const { valid = false, reason } = facts.issuer ?? {}
    if (!valid && (reason === 'NOT_JSON' || reason === 'NOT_SIGNED')) {
      return refused('WRONG_FORMAT', 'file', evidence)
    }
    if (!valid && reason === 'UNKNOWN_ISSUER') return refused('WRONG_ISSUER', 'issuer', evidence)
    evidence.push({ check: 'signature', result: valid ? 'pass' : 'fail', place: 'signature' })
    if (!valid) return refused('WRONG_SIGNATURE', 'signature', evidence)
  }
  const authentic = shareOfAuthentic(facts)
  if (definition.sources !== undefined && authentic === 0) return refused('NOT_AUTHENTIC', 'file', evidence)
  const context = { facts, mediaType: file.mediaType }
  const value = parse(definition, raw, context)
  evidence.push({
    check: 'duplicate',
    result: facts.uniqueness.duplicate ? 'fail' : 'pass',
    place: 'file',
  })
  if (facts.uniqueness.duplicate) return refused('DUPLICATE', 'file', evidence)
  if (definition.account !== undefined) {
    const { accepted } = facts.account ?? {}
    const result = accepted === undefined ? 'not-checked' : accepted ? 'pass' : 'fail'
    evidence.push({ check: 'account', result, place: 'account' })
    if (accepted === false) return refused('ACCOUNT_OF_ANOTHER_WALLET', 'account', evidence)
  }

  const sums = { authenticity: none(), ownership: none(), quality: none(), uniqueness: none() }
  let refusal: VerdictPart['refusal'] = null
  for (const [name, check] of Object.entries(definition.checks)) {
    const result = check(value, context)
    const place = shortened(result.place ?? name)
    const degree = clamp(result.degree ?? (result.passed ? 1 : 0))
    const sum = sums[result.dimension ?? 'quality']
    const weight = weightOf(definition, name, result)
    sum.weight += weight
    sum.total += weight * degree
    sum.any = true
    evidence.push({
      check: name,
      result: result.passed ? 'pass' : degree > 0 ? 'partial' : 'fail',
      place,
      ...(result.degree === undefined ? {} : { degree: Math.round(degree * 100) / 100 }),
    })
    refusal ??= refusalOf(result, place)
  }
  const values = {
    authenticity: mean(sums.authenticity, facts.issuer?.valid === true ? 1 : authentic),
    ownership: mean(sums.ownership, 0),
    quality: mean(sums.quality, 0),
    uniqueness: mean(sums.uniqueness, rounded(facts.uniqueness.novelty ?? 1)),
  }
  // Whether the contribution is accepted is settled by now; the screens come after that.
  const plain = scoreOf(definition, values)
  if (refusal === null && plain < (definition.minimumScore ?? 0))
    refusal = { code: 'SCORE_TOO_LOW', place: 'score' }
  const screened = askScreens(definition.screens ?? {}, value, context)
  evidence.push(...screened.evidence)
  if (refusal !== null) return { ...refused(refusal.code, refusal.place, evidence), ...values }
  const loss = (definition.screenLoss ?? 0) * screened.suspicion
  const lowered = { ...values, quality: rounded(values.quality * (1 - loss)) }
  return {
    valid: true,
    // A score above nothing stays so: one of 0 earns as little as a refusal.
    score: Math.max(scoreOf(definition, lowered), Math.min(plain, LEAST_SCORE)),
    ...lowered,
    attributes: definition.attributes?.(value) ?? {},
    ...(definition.metadata === undefined ? {} : { metadata: definition.metadata(value) }),
    refusal: null,
    evidence,
  }
}

/** The greatest share of the file that one source found authentic, without what stands there twice. */
function shareOfAuthentic({ authenticity = [] }: Facts): number {
  const shares = authenticity.map(({ parts, repeated }) => {
    const counted = parts.filter((_, at) => !repeated?.[at])
    return counted.filter(Boolean).length / (counted.length || 1)
  })
  return rounded(Math.max(0, ...shares))
}

/** A share that is none (negative, infinite, not a number) is 1: it must not decide about the others. */
function weightOf<Value>({ weights }: PocDefinition<Value>, name: string, result: CheckResult): number {
  const own = weights !== undefined && Object.hasOwn(weights, name) ? weights[name] : result.weight
  return own !== undefined && own >= 0 && own < Infinity ? own : 1
}

function refusalOf(result: CheckResult, place: string): VerdictPart['refusal'] {
  return !result.passed && result.refusal !== undefined ? { code: result.refusal, place } : null
}

function readFile({ mediaType, text }: EvaluateInput['file']): unknown {
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) {
    try {
      return JSON.parse(text)
    } catch {
      throw new Refusal('MALFORMED_EXPORT', 'file')
    }
  }
  if (mediaType === 'text/csv') {
    const table = readCsv(text)
    if (table === undefined) throw new Refusal('MALFORMED_EXPORT', 'file')
    return table.rows.map((row) => Object.fromEntries(table.header.map((name, index) => [name, row[index]])))
  }
  return text
}

function parse<Value>({ input }: PocDefinition<Value>, raw: unknown, context: CheckContext): Value {
  try {
    return typeof input === 'function' ? input(raw, context) : input.parse(raw)
  } catch (error) {
    // Exhausted memory is the run's failure, not the file's: what QuickJS throws then is null or an InternalError.
    if (error instanceof Refusal || !(error instanceof Error) || error.name === 'InternalError') throw error
    throw new Refusal('MALFORMED_EXPORT', issuePlace(error))
  }
}

/** Path of a schema error's first issue; the host masks every part of it that is not a word of the code. */
function issuePlace(error: object): string {
  const issues = 'issues' in error ? error.issues : undefined
  const first: unknown = Array.isArray(issues) ? issues[0] : undefined
  const path = typeof first === 'object' && first !== null && 'path' in first ? first.path : undefined
  if (!Array.isArray(path) || path.length === 0) return 'file'
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${nameInPlace(String(part))}`))
    .join('')
    .replace(/^\./, '')
}

/** A member's name as a part of a place; the separators of places in it would pass for positions and for names of their own. */
function nameInPlace(name: string): string {
  return /[.[\]]/.test(name) ? '*' : name
}

// A place may be built from a path into the file, so its length is the contributor's; the verdict format has a bound.
function shortened(place: string): string {
  return place.slice(0, 120)
}

function refused(code: string, place: string, evidence: readonly Evidence[]): VerdictPart {
  const zero = { score: 0, authenticity: 0, ownership: 0, quality: 0, uniqueness: 0 }
  const own = /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : UNNAMED_REFUSAL
  return { valid: false, ...zero, attributes: {}, refusal: { code: own, place: shortened(place) }, evidence }
}

interface Sum {
  weight: number
  total: number
  any: boolean
}

function none(): Sum {
  return { weight: 0, total: 0, any: false }
}

function mean({ weight, total, any }: Sum, otherwise: number): number {
  if (!any) return otherwise
  return weight > 0 ? rounded(total / weight) : 0
}

function scoreOf<Value>(
  { score: weights, factors = [] }: PocDefinition<Value>,
  values: Record<Dimension, number>,
): number {
  let weight = 0
  let total = 0
  for (const dimension of dimensions) {
    weight += weights[dimension] ?? 0
    total += (weights[dimension] ?? 0) * values[dimension]
  }
  return rounded(factors.reduce((score, dimension) => score * values[dimension], total / weight))
}

/** The registry's unit. */
const LEAST_SCORE = 0.0001

/** Four decimals, as the registry stores scores in ten-thousandths. */
function rounded(value: number): number {
  return Math.round(clamp(value) * 10_000) / 10_000
}

// NaN, from a degree that divides by nothing, counts as 0.
function clamp(value: number): number {
  return value > 0 ? Math.min(1, value) : 0
}
