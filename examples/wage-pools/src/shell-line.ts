/**
 * Words as one line that a POSIX shell takes apart again, for commands to copy.
 *
 * @param words - the command and its arguments
 * @returns the line; words with anything but plain characters stand in single quotes
 */
export function shellLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}
