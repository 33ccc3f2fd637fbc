/** Paths that a refiner declares to read. */

/** Does a row of items match a row of patterns of which some stand for any number of items? In the product of both lengths. */
function matchesRow<Pattern, Item>(
  patterns: readonly Pattern[],
  items: readonly Item[],
  rule: { isAny(pattern: Pattern): boolean; fits(pattern: Pattern, item: Item): boolean },
): boolean {
  let at = 0
  let item = 0
  // Where to go on when what stands behind the last `any` does not fit: that takes one item more.
  let any = -1
  let taken = 0
  while (item < items.length) {
    const pattern = patterns[at]
    const isThere = at < patterns.length
    if (isThere && rule.isAny(pattern as Pattern)) {
      any = at
      taken = item
      at += 1
    } else if (isThere && rule.fits(pattern as Pattern, items[item] as Item)) {
      at += 1
      item += 1
    } else if (any >= 0) {
      taken += 1
      item = taken
      at = any + 1
    } else return false
  }
  return patterns.slice(at).every((pattern) => rule.isAny(pattern))
}

/** Characters of a part of a path in one form, whatever system wrote it. */
const charactersOf = (part: string): readonly string[] => [...part.normalize('NFC')]

function partFits(pattern: readonly string[], part: readonly string[]): boolean {
  return matchesRow(pattern, part, {
    isAny: (character) => character === '*',
    fits: (character, other) => character === other,
  })
}

/**
 * Is a text a pattern of paths? Parts are parted by `/`; `**` as a part stands for any number of parts, `*` in a part for any characters; everything
 * else stands for itself, letters in their own case.
 *
 * @param pattern - the text
 * @returns false for empty parts, `.`, `..`, backslashes and control characters
 */
export function isPathPattern(pattern: string): boolean {
  const parts = pattern.split('/')
  return parts.every(
    (part) =>
      part !== '' &&
      part !== '.' &&
      part !== '..' &&
      !/[\\\p{Cc}]/u.test(part) &&
      (part === '**' || !part.includes('**')),
  )
}

/**
 * Makes the test of a path against patterns.
 *
 * @param patterns - see {@link isPathPattern}
 * @returns whether a path, `/` between its parts, matches one of them; in time of the product of the lengths
 */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const split = patterns.map((pattern) => pattern.split('/').map(charactersOf))
  const isAnyParts = (part: readonly string[]) => part.length === 2 && part[0] === '*' && part[1] === '*'
  return (path) => {
    const parts = path.split('/').map(charactersOf)
    return split.some((pattern) => matchesRow(pattern, parts, { isAny: isAnyParts, fits: partFits }))
  }
}
