import { PrivacyError } from '../errors.js'
import { CONTEXT, type PiiFinding, type PiiRule, type PiiType, piiTypes } from './finding.js'
import { foldText } from './folded-text.js'
import type { PiiLocale } from './locale/locale.js'
import { accountRules } from './rule/account.js'
import { languageRules } from './rule/language.js'
import { networkRules } from './rule/network.js'
import { phoneRules } from './rule/phone.js'
import { secretRules } from './rule/secret.js'

/** Longest text, in UTF-16 units. */
const LONGEST = 16 * 1024 * 1024

/** Where two findings overlap the type named first stays. */
const ORDER: readonly PiiType[] = [
  'secret',
  'email',
  'url',
  'wallet',
  'iban',
  'card',
  'national-id',
  'mac',
  'ip',
  'geo',
  'birth-date',
  'phone',
  'name',
]

/** Finds personal data in texts. */
export interface PiiDetector {
  /**
   * @param text - Any text of at most 16 Mi UTF-16 units.
   * @returns Findings in the order of the text; they do not overlap.
   * @throws PrivacyError `PARAMETER_INVALID` for a longer text.
   */
  find(text: string): PiiFinding[]
}

/**
 * A detector for some languages. Patterns are compiled once; make one and keep it.
 *
 * It finds what has a form: addresses, numbers with check digits, prefixes of keys, names behind titles, greetings and
 * introductions or with a common given name. It does not understand text: a rare name in a plain sentence passes. It lowers
 * exposure; the guarantee against an adversary is differential privacy. What is written in other characters and reads as the same
 * (full-width digits, zero-width spaces between letters, accents behind their letters) is found at its place in the text.
 *
 * @param options - `locales`: one or more of those that the package brings, or your own; `types`: which to look for (all).
 * @returns The detector.
 * @throws PrivacyError `PARAMETER_INVALID` for an unknown type.
 * @example
 * ```ts
 * import { createPiiDetector, english } from '@sealpool/privacy/pii'
 * const [found] = createPiiDetector({ locales: [english] }).find('Write to ann@example.org.')
 * console.assert(found?.type === 'email' && found.start === 9 && found.end === 24)
 * ```
 */
export function createPiiDetector(options: {
  readonly locales: readonly PiiLocale[]
  readonly types?: readonly PiiType[]
}): PiiDetector {
  const wanted = new Set<PiiType>(options.types ?? piiTypes)
  for (const type of wanted) {
    if (!piiTypes.includes(type)) {
      throw new PrivacyError('PARAMETER_INVALID', 'types', `Unknown type; there are ${piiTypes.join(', ')}.`)
    }
  }
  const rules = [
    ...secretRules,
    ...networkRules,
    ...accountRules,
    ...phoneRules,
    ...options.locales.flatMap(languageRules),
  ].filter(({ type }) => wanted.has(type))
  return {
    find(text) {
      if (text.length > LONGEST) {
        throw new PrivacyError(
          'PARAMETER_INVALID',
          'text',
          `The text is longer than ${LONGEST} UTF-16 units. Give it in parts.`,
        )
      }
      const found = rules.flatMap((rule) => matches(rule, text))
      const folded = foldText(text)
      if (folded === null) return withoutOverlaps(found, text)
      const read = rules.flatMap((rule) => matches(rule, folded.text))
      const placed = read.map((finding) => ({
        ...finding,
        start: folded.start(finding.start),
        end: folded.end(finding.end - 1),
      }))
      return withFolded(withoutOverlaps(found, text), withoutOverlaps(placed, text), text)
    },
  }
}

function matches(rule: PiiRule, text: string): PiiFinding[] {
  const found: PiiFinding[] = []
  for (const { 0: match, index } of text.matchAll(rule.pattern)) {
    const before = text.slice(Math.max(0, index - CONTEXT), index)
    const after = text.slice(index + match.length, index + match.length + CONTEXT)
    const accepted = rule.accept?.(match, { before, after }) ?? true
    if (accepted === false) continue
    const { from, to } = accepted === true ? { from: 0, to: match.length } : accepted
    if (to > from) found.push({ type: rule.type, start: index + from, end: index + to, rule: rule.name })
  }
  return found
}

/**
 * Earlier types win, then longer findings, then earlier ones. What loses keeps what the winners leave of it: two findings that share
 * some digits are covered both. The rest of a loser is no finding that may win: whoever stands whole in it goes first.
 */
function withoutOverlaps(found: readonly PiiFinding[], text: string): PiiFinding[] {
  const ranked = [...found].sort(
    (a, b) =>
      ORDER.indexOf(a.type) - ORDER.indexOf(b.type) ||
      b.end - b.start - (a.end - a.start) ||
      a.start - b.start,
  )
  const taken: PiiFinding[] = []
  const losers: PiiFinding[] = []
  for (const finding of ranked) {
    if (overlapping(taken, finding).length > 0) losers.push(finding)
    else taken.splice(firstEndingAfter(taken, finding.start), 0, finding)
  }
  for (const finding of losers) {
    const met = overlapping(taken, finding)
    const put = [...met, ...uncovered(met, finding, text)].sort((a, b) => a.start - b.start)
    taken.splice(firstEndingAfter(taken, finding.start), met.length, ...put)
  }
  return taken
}

/**
 * Adds what is found in the folded text. Folding draws together what stands on both sides of an invisible character, so that a
 * finding may begin in one thing and end in another: what was found as it is written is never given up for it, unless it lies
 * wholly within a finding that reaches further and whose type is no weaker.
 */
function withFolded(
  written: readonly PiiFinding[],
  folded: readonly PiiFinding[],
  text: string,
): PiiFinding[] {
  const taken = [...written]
  for (const finding of folded) {
    const met = overlapping(taken, finding)
    const whole = met.every(
      ({ start, end, type }) =>
        start >= finding.start && end <= finding.end && ORDER.indexOf(type) >= ORDER.indexOf(finding.type),
    )
    const rest = uncovered(met, finding, text)
    // One thing that is found again with its sign is that finding; two that are covered stay two.
    if (rest.length === 0 && !(whole && met.length === 1)) continue
    const put = whole ? [finding] : [...met, ...rest].sort((a, b) => a.start - b.start)
    taken.splice(firstEndingAfter(taken, finding.start), met.length, ...put)
  }
  return taken
}

/** Those of `taken`, which is sorted and without overlaps, that share a unit with a finding. */
function overlapping(taken: readonly PiiFinding[], { start, end }: PiiFinding): PiiFinding[] {
  const met: PiiFinding[] = []
  for (let at = firstEndingAfter(taken, start); ; at += 1) {
    const next = taken[at]
    if (next === undefined || next.start >= end) return met
    met.push(next)
  }
}

/**
 * The parts of a finding that those it meets do not cover: those with a letter or a digit, from the first to the last of them. A
 * finding that meets nothing stays as its rule gave it.
 */
function uncovered(met: readonly PiiFinding[], finding: PiiFinding, text: string): PiiFinding[] {
  if (met.length === 0) return [finding]
  const parts: PiiFinding[] = []
  let from = finding.start
  for (const { start, end } of [...met, { start: finding.end, end: finding.end }]) {
    // Marks belong to the letter before them.
    let first = -1
    let last = -1
    for (const { 0: run, index } of text
      .slice(from, Math.max(from, start))
      .matchAll(/[\p{L}\p{N}]\p{M}*/gu)) {
      if (first < 0) first = from + index
      last = from + index + run.length
    }
    if (first >= 0) parts.push({ ...finding, start: first, end: last, part: true })
    from = Math.max(from, end)
  }
  return parts
}

function firstEndingAfter(taken: readonly PiiFinding[], start: number): number {
  let low = 0
  let high = taken.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((taken[middle]?.end ?? 0) > start) high = middle
    else low = middle + 1
  }
  return low
}
