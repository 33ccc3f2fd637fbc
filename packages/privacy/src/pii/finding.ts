/** Kinds of personal data and secrets that are looked for. */
export const piiTypes = [
  'email',
  'phone',
  'card',
  'iban',
  'national-id',
  'ip',
  'mac',
  'url',
  'geo',
  'birth-date',
  'name',
  'wallet',
  'secret',
] as const

/** One of {@link piiTypes}. */
export type PiiType = (typeof piiTypes)[number]

/** Where something was found. Evidence without the text itself: it may be logged and published. */
export interface PiiFinding {
  readonly type: PiiType
  /** Offset of the first UTF-16 unit. */
  readonly start: number
  /** Offset behind the last UTF-16 unit. */
  readonly end: number
  /** Name of the rule that matched, for example `iban` or `de/tax-number`. */
  readonly rule: string
  /** Set where this is what a finding that overlaps leaves of it: not the whole of what its rule matched. */
  readonly part?: true
}

/** A way to find one type. */
export interface PiiRule {
  readonly type: PiiType
  readonly name: string
  /** Global, and without any part that can match one text in many ways: time must stay linear. */
  readonly pattern: RegExp
  /**
   * Decides on a match, after what a pattern cannot say: check digits, ranges, cues around it.
   * @param match - The matched text.
   * @param around - Text `before` and `after`, at most 48 units each.
   * @returns False to drop it, true to keep it, or the part of it that counts.
   */
  readonly accept?: (
    match: string,
    around: { readonly before: string; readonly after: string },
  ) => boolean | { readonly from: number; readonly to: number }
}

/** Units of context that a rule sees on either side. */
export const CONTEXT = 48
