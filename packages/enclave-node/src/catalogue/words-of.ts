/** Longer words are read so far. */
const maximumWordLength = 40

/** @returns the words of a text, in one form whatever its letters' case and width */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).map((word) => word.slice(0, maximumWordLength))
}
