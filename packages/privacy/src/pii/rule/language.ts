import type { PiiRule } from '../finding.js'
import type { PiiLocale } from '../locale/locale.js'

/** A capitalised word as it stands in a name. */
const WORD = "\\p{Lu}[\\p{L}\\p{M}'\\u2019-]{0,28}[\\p{Ll}\\p{M}]"
const INITIAL = '\\p{Lu}\\.'

/** What follows a given name without being a family name: places and bodies that are named after people. */
const NOT_FAMILY_NAMES = new Set(
  (
    'Station Street Road Avenue Park Hospital University College School Airport Church Bank Hotel Foundation Award Prize Day Week Period Inc Ltd ' +
    'LLC Corp Company Group Falls River Island Beach Bridge Stadium Museum Institute January February March April June July August September ' +
    'October November December Monday Tuesday Wednesday Thursday Friday Saturday Sunday ' +
    'Stra\u00dfe Platz Allee Weg Stiftung Schule Krankenhaus Klinikum Universit\u00e4t Bahnhof GmbH AG Kirche Gymnasium ' +
    'Rue Avenue Place Fondation H\u00f4pital Lyc\u00e9e Universit\u00e9 Gare SA SARL ' +
    'Calle Plaza Avenida Fundaci\u00f3n Hospital Instituto Universidad Estaci\u00f3n Via Piazza Fondazione Ospedale Universit\u00e0 Stazione ' +
    'Rua Pra\u00e7a Funda\u00e7\u00e3o Universidade Escola Straat Plein Stichting Ziekenhuis Universiteit Ulica Plac Fundacja Szpital Uniwersytet'
  ).split(' '),
)

/** Words before a name that make it a place's. */
const PLACE_BEFORE =
  /(?:^|[\s("])(?:via|viale|piazza|corso|calle|plaza|avenida|paseo|rue|place|avenue|boulevard|rua|pra\u00e7a|ulica|ul\.|plac|estadio|est\u00e1dio|stadio|stade|aeropuerto|a\u00e9roport|lyc\u00e9e|h\u00f4pital|hospital|ospedale|szpital)(?: d[aeio]l?| de la| della| du| des)? $/iu

/**
 * Rules that need a language: names and dates of birth, telephone and national numbers of its countries.
 *
 * @param locale - The language.
 * @returns Its rules.
 */
export function languageRules(locale: PiiLocale): readonly PiiRule[] {
  return [...locale.rules, birthDate(locale), ...nameRules(locale)]
}

function nameRules(locale: PiiLocale): readonly PiiRule[] {
  const given = new Set(locale.givenNames)
  const particles = alternatives(locale.particles.map(anyCaseAtStart))
  // Short titles (M, D, Fr) are only titles when they are capitalised.
  const titles = alternatives(
    locale.titles.map((title) => `${title.length > 2 ? anyCaseAtStart(title) : escaped(title)}\\.?`),
  )
  const part = `(?:${WORD}|${INITIAL})`
  const inner = `(?: (?:(?:${particles}) ){0,2}${part})`
  const boundary = "(?<![\\p{L}\\p{N}'\\u2019-])"
  const extent = nameExtent(locale, given)
  /** Cuts what was matched to the name in it: from the first word after the cue. */
  const afterCue =
    (cue: RegExp, strangers: number): NonNullable<PiiRule['accept']> =>
    (match) => {
      const from = cue.exec(match)?.[0].length ?? 0
      const length = extent(match.slice(from), strangers)
      return length > 0 && { from, to: from + length }
    }
  const titleCue = `(?:(?:${titles}) ){1,3}`
  const introductions = alternatives(locale.introductions.map(anyCaseAtStart))
  const introductionCue = `(?:${introductions}) {0,2}(?:(?:${titles}) ){0,2}`
  const greetings = alternatives(locale.greetings.map(escaped))
  const greetingCue = `(?:${greetings})[ \\n]{1,3}`
  const known = alternatives([...given].map(escaped))
  const german = locale.language === 'de'
  return [
    {
      type: 'name',
      name: `${locale.language}/name-after-title`,
      pattern: new RegExp(`${boundary}${titleCue}${part}${inner}{0,3}`, 'gu'),
      // German nouns are capitalised: after a stranger's family name the next word is no name.
      accept: afterCue(new RegExp(`^${titleCue}`, 'u'), german ? 1 : 2),
    },
    {
      type: 'name',
      name: `${locale.language}/name-after-introduction`,
      pattern: new RegExp(`${boundary}${introductionCue}${part}${inner}{0,3}`, 'gu'),
      accept: afterCue(new RegExp(`^${introductionCue}`, 'u'), 2),
    },
    {
      type: 'name',
      name: `${locale.language}/name-after-greeting`,
      pattern: new RegExp(`${boundary}${greetingCue}(?:${known})(?![\\p{L}\\p{M}])${inner}{0,3}`, 'gu'),
      accept: afterCue(new RegExp(`^${greetingCue}`, 'u'), 1),
    },
    {
      type: 'name',
      name: `${locale.language}/name`,
      pattern: new RegExp(`${boundary}(?:${known})(?![\\p{Ll}\\p{M}])(?:-(?:${known}))?${inner}{1,4}`, 'gu'),
      accept: (match, { before }) => {
        if (PLACE_BEFORE.test(before)) return false
        const length = extent(match, 1)
        // A given name alone is too often another word.
        return / /.test(match.slice(0, length).trim()) && { from: 0, to: length }
      },
    },
  ]
}

/**
 * How much of a text that starts with a capitalised word is a name: given names and initials, particles, then family names,
 * one or, in Spanish and Portuguese, two. Without a known given name `strangers` words count.
 */
function nameExtent(locale: PiiLocale, given: ReadonlySet<string>) {
  const families = locale.language === 'es' || locale.language === 'pt' ? 2 : 1
  const particles = new Set(locale.particles.flatMap((particle) => particle.toLowerCase().split(' ')))
  return (text: string, strangers: number): number => {
    let end = 0
    let left = strangers
    let started = false
    for (const { 0: word, index } of text.matchAll(/[^ \n]+/g)) {
      if (particles.has(word.toLowerCase()) && started) continue
      const isGiven = given.has(word) || word.split('-').every((part) => given.has(part))
      const isInitial = /^\p{Lu}\.$/u.test(word)
      if (!isGiven && !isInitial) {
        if (left === 0 || NOT_FAMILY_NAMES.has(word)) break
        left--
      } else if (isGiven && !started) left = families
      else if (isGiven && left < families) break
      started = true
      end = index + word.length
    }
    return end
  }
}

function birthDate(locale: PiiLocale): PiiRule {
  const months = alternatives(locale.months.flat().map((month) => `${escaped(month)}\\.?`))
  const date =
    '(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2} ?[-/.] ?[0-9]{1,2} ?[-/.] ?(?:[0-9]{4}|[0-9]{2})|' +
    `[0-9]{1,2}(?:\\.|st|nd|rd|th|er|\\u00ba|\\u00aa)? (?:of |de |di )?(?:${months}),?(?: of| de| del)? [0-9]{4}|` +
    `(?:${months}) [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4})(?![0-9])`
  const cues = alternatives(locale.birthCues.map(escaped))
  const at = new RegExp(`${date}$`, 'iu')
  return {
    type: 'birth-date',
    name: `${locale.language}/birth-date`,
    pattern: new RegExp(
      `(?<![\\p{L}\\p{N}])(?:(?:${cues})[^\\n0-9]{0,28}${date}|${date}(?= (?:${cues})(?!\\p{L})))`,
      'giu',
    ),
    accept: (match) => {
      const from = match.search(at)
      return from >= 0 && { from, to: match.length }
    },
  }
}

/** Alternatives, the longest first, so that a short one does not hide a longer one. */
function alternatives(parts: readonly string[]): string {
  return [...parts].sort((a, b) => b.length - a.length).join('|')
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

/** Matches a cue with its first letter in either case; the rest of the rule must see capitals. */
function anyCaseAtStart(text: string): string {
  const first = text.charAt(0)
  return `[${escaped(first.toLowerCase())}${escaped(first.toUpperCase())}]${escaped(text.slice(1))}`
}
