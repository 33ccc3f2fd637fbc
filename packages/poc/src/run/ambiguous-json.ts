import { repeatsMember } from '../authenticity/json-object.js'

const numberForm = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const halfCharacter = /\p{Surrogate}/u

/** Whether a number of JSON is what its digits say: finite, no whole number past 2^53, and of no more digits than name a double. */
function isExact(literal: string): boolean {
  const value = Number(literal)
  if (!Number.isFinite(value)) return false
  const digits = literal
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '')
  if (value === 0) return digits === ''
  return digits.length <= 17 && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

/** Where a string of a JSON text ends: its closing quote. */
function endOfString(text: string, start: number): number {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from)
    let escapes = 0
    while (text[quote - 1 - escapes] === '\\') escapes += 1
    if (escapes % 2 === 0) return quote
    from = quote + 1
  }
}

/**
 * Whether readers take a JSON text differently (RFC 7493, I-JSON): an object with a name twice, a number that changes when it is read, half a
 * character. `@sealpool/refine` delivers no row of such a text, so that code must not be asked what it is worth. `conformance/json/cases.json`
 * holds both packages to the same texts.
 *
 * @param text hostile text
 * @returns false also for what is no JSON: the code refuses it itself
 */
export function isAmbiguousJson(text: string): boolean {
  try {
    JSON.parse(text)
  } catch {
    return false
  }
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (character === '"') {
      const end = endOfString(text, at)
      const literal = text.slice(at, end + 1)
      if (literal.includes('\\u') && halfCharacter.test(String(JSON.parse(literal)))) return true
      at = end
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      numberForm.lastIndex = at
      const literal = numberForm.exec(text)?.[0] ?? character
      if (!isExact(literal)) return true
      at += literal.length - 1
    }
  }
  return repeatsMember(text)
}
