const NUL_OR_LONE_SURROGATE = /\0|\p{Surrogate}/u

/**
 * Whether a text reaches QuickJS as it is: C strings end at NUL, and UTF-8 knows no lone surrogates. Code that fails
 * this would run as something else than what was digested.
 *
 * @param text code or the name of an entry
 */
export function crossesUnchanged(text: string): boolean {
  return !NUL_OR_LONE_SURROGATE.test(text)
}
