/** A value that must be the same in the provider's answer and in the export. Both are JSON Pointers (RFC 6901). */
export interface EqualValues {
  readonly answer: string
  readonly export: string
}

/** What is read at a provider with a contributor's token, and what of the export the answer must confirm. */
export interface OAuthSource {
  /** The provider's name; accounts have their pseudonyms under it. */
  readonly provider: string
  /** The one address that is read: https, without user and fragment. A token goes nowhere else. */
  readonly url: string
  /** Where the account stands: text or a whole number. */
  readonly account: EqualValues
  /** Everything that the export says besides: a member that no rule covers leaves the export not authentic. */
  readonly fields: readonly EqualValues[]
  /** Oldest answer that counts, in seconds before the time that is given. */
  readonly maximumAgeSeconds: number
  /** Seconds for which a token may still count when it is used; 3,600 when absent. */
  readonly maximumTokenSeconds?: number
}

/**
 * Reads the address of a source.
 *
 * @param url as the source has it
 * @returns the address, or undefined when it is none that a token may be sent to
 */
export function readableUrl(url: string): URL | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isPlain = parsed?.protocol === 'https:' && parsed.username === '' && parsed.password === ''
  return isPlain && parsed.hash === '' ? parsed : undefined
}
