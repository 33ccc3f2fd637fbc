import type { PiiRule } from '../finding.js'

/** What a language and its countries add. Plain data, so that a pool can bring its own. */
export interface PiiLocale {
  /** Language, for example `de`. */
  readonly language: string
  /** Common given names, as they are written at the start of a sentence. */
  readonly givenNames: readonly string[]
  /** Titles before a name: `Mr`, `Frau Dr.`; matched with or without a full stop, in this spelling. */
  readonly titles: readonly string[]
  /** Words after which a name follows: `my name is`, `ich hei\u00dfe`; matched in any case. */
  readonly introductions: readonly string[]
  /** Greetings before a given name at the start of a line: `Dear`, `Hallo`. */
  readonly greetings: readonly string[]
  /** Words that stand inside of names: `von`, `de la`. */
  readonly particles: readonly string[]
  /** Names of the months, January first, each with its abbreviations; matched in any case. */
  readonly months: readonly (readonly string[])[]
  /** What announces a date of birth: `born`, `geb.`; matched in any case. */
  readonly birthCues: readonly string[]
  /** Telephone and national numbers of the language's countries. */
  readonly rules: readonly PiiRule[]
}

/**
 * Makes a locale. A call without effects, so that a bundle leaves out the languages that it does not use.
 *
 * @param make - Gives the locale.
 * @returns The locale.
 */
export function locale(make: () => PiiLocale): PiiLocale {
  return make()
}

/**
 * A rule for telephone numbers as they are written inside of a country.
 *
 * @param name - Rule's name.
 * @param pattern - Global pattern.
 * @returns The rule.
 */
export function phone(name: string, pattern: RegExp): PiiRule {
  return {
    type: 'phone',
    name,
    pattern,
    // Groups of digits on either side make it a part of a longer number.
    accept: (_, { before, after }) => !/[0-9][ ./-]$/.test(before) && !/^[ .-]?[0-9]/.test(after),
  }
}

/**
 * A rule for national numbers.
 *
 * @param name - Rule's name.
 * @param pattern - Global pattern.
 * @param accept - Check digits and cues.
 * @returns The rule.
 */
export function nationalId(name: string, pattern: RegExp, accept?: PiiRule['accept']): PiiRule {
  return { type: 'national-id', name, pattern, ...(accept === undefined ? {} : { accept }) }
}

/** Splits a list of words that is written as one text. */
export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/)
}
