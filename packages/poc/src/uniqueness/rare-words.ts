/** Characters from which on a word is taken for rare: the more often a word is used, the shorter it is (Zipf 1935). */
const RARE_LENGTH = 7
/** Rare words that a text must have: fewer are a few common ones, whoever wrote it. */
const LEAST_WORDS = 30
/** Share of numbers from which on a text is a form, of which everything but the numbers is everybody's. */
const FORM_SHARE = 0.1
const MOST_WORDS = 200_000

/**
 * Words of a text that another text on something else rarely has: what is left in common when every fifth word was changed and no run of words
 * is as it was.
 *
 * @param words of a text in their order, in one form
 * @returns distinct long words; none of a short text, and none of a form (invoices of one shop have all of their words in common)
 */
export function rareWords(words: readonly string[]): readonly string[] {
  const numbers = words.filter((word) => /^\p{N}/u.test(word)).length
  if (numbers >= FORM_SHARE * words.length) return []
  const rare = new Set<string>()
  for (const word of words) {
    if (rare.size === MOST_WORDS) break
    if (word.length >= RARE_LENGTH) rare.add(word)
  }
  return rare.size < LEAST_WORDS ? [] : [...rare]
}
