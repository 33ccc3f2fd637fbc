/**
 * Numbers below 8,281 as text that crosses JSON as it is: one character each where all are below 91, else two. Columns whose values come
 * again go by the number of their value that way, which is read and written at a fraction of the cost of the values.
 */

// Printable ASCII without the quote and the backslash, which JSON escapes.
const FIRST = 0x23
const SKIPPED = 0x5c
const SYMBOLS = 0x7e - FIRST
/** Most different values of a coded column. */
export const MOST_CODED = SYMBOLS * SYMBOLS

const unitOf = (digit: number): number => (FIRST + digit < SKIPPED ? FIRST + digit : FIRST + digit + 1)
const none = 0xff
const digits = /* @__PURE__ */ (() => {
  const table = new Uint8Array(128).fill(none)
  for (let digit = 0; digit < SYMBOLS; digit++) table[unitOf(digit)] = digit
  return table
})()

/**
 * Writes codes.
 *
 * @param codes - numbers below `values`
 * @param values - how many different values there are, at most {@link MOST_CODED}
 * @returns the text
 */
export function encodeCodes(codes: Uint16Array, values: number): string {
  const width = values <= SYMBOLS ? 1 : 2
  const bytes = new Uint8Array(codes.length * width)
  if (width === 1) {
    for (let at = 0; at < codes.length; at++) bytes[at] = unitOf(codes[at] ?? 0)
  } else {
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at] ?? 0
      bytes[2 * at] = unitOf((code / SYMBOLS) | 0)
      bytes[2 * at + 1] = unitOf(code % SYMBOLS)
    }
  }
  return new TextDecoder().decode(bytes)
}

/**
 * Reads codes.
 *
 * @param text - what {@link encodeCodes} wrote, or anything else
 * @param values - how many different values there are
 * @returns the codes, each below `values`; undefined for a text that is none
 */
export function decodeCodes(text: string, values: number): Uint16Array | undefined {
  if (values > MOST_CODED) return undefined
  const width = values <= SYMBOLS ? 1 : 2
  if (text.length % width !== 0) return undefined
  const codes = new Uint16Array(text.length / width)
  let at = 0
  for (let index = 0; index < codes.length; index++) {
    const first = digits[text.charCodeAt(at)] ?? none
    let code = first
    if (width === 2) {
      const second = digits[text.charCodeAt(at + 1)] ?? none
      code = second === none || first === none ? MOST_CODED : first * SYMBOLS + second
    }
    if (code >= values) return undefined
    codes[index] = code
    at += width
  }
  return codes
}

/**
 * Leaves out what no row has: what becomes of a column must not depend on values that stand nowhere in it any more.
 *
 * @param codes - per row the number of its value
 * @param count - how many values there are
 * @returns the numbers of the values that are left, in order, and per row the number of its value among them
 */
export function usedCodes(
  codes: Uint16Array,
  count: number,
): { readonly kept: readonly number[]; readonly codes: Uint16Array } {
  const places = new Int32Array(count).fill(-1)
  for (let row = 0; row < codes.length; row++) places[codes[row] ?? 0] = 0
  const kept: number[] = []
  for (let value = 0; value < count; value++) if (places[value] === 0) places[value] = kept.push(value) - 1
  return {
    kept,
    codes: kept.length === count ? codes : codes.map((code) => places[code] ?? 0),
  }
}
