import { decodeBase64 } from '../authenticity/base64.js'
import { latin1 } from '../authenticity/dkim/message.js'
import { UNNAMED_REFUSAL } from '../define/refusal.js'
import { PocError } from '../errors.js'
import type { JudgedPart } from './verdict.js'

/** Pieces of a place: a position in brackets, a separator, or a name. */
const PIECES = /\[[^.[\]]*\]|[.[\]]|[^.[\]]+/g
/** Positions of a place that are told: a list and a list in it. */
const MOST_POSITIONS = 2

/**
 * Closes a verdict's vocabulary: every text in it must stand in the approved code as a whole word or phrase. So a
 * verdict can say which of the code's own words holds, and cannot quote the file. In places, unknown parts are masked
 * (`payload.*.wage`), because a schema's path may name a member of the file; anywhere else they are an error of the code.
 *
 * Digits are masked as well, because a member may be named after a telephone number; positions in a list pass where they stand as
 * such (`rows[3].wage`): two of them at most, with five digits at most. A refusal whose code does not stand in the code stays a
 * refusal, as `UNNAMED_REFUSAL`: what a file holds must not decide whether its verdict is one.
 *
 * @param part what the code gave
 * @param code the approved script
 * @returns the part with masked places
 * @throws PocError `VERDICT_INVALID` when an attribute or a check's name is not in the code
 */
export function closeVocabulary(part: JudgedPart, code: string): JudgedPart {
  const known = new Map<string, boolean>()
  const isKnown = (text: string): boolean => {
    let answer = known.get(text)
    if (answer === undefined) {
      answer = text === '' || standsIn(code, text) || standsIn(code, asciiLiteral(text))
      known.set(text, answer)
    }
    return answer
  }
  const demand = (text: string, place: string): void => {
    if (isKnown(text)) return
    throw new PocError(
      'VERDICT_INVALID',
      place,
      'the verdict holds a text that is not written out in the approved code; return numbers or words of the code',
    )
  }
  const mask = (place: string): string => {
    let positions = 0
    return place.replace(PIECES, (piece) => {
      if (/^[.[\]]$/.test(piece)) return piece
      if (/^\[\d{1,5}\]$/.test(piece)) return ++positions <= MOST_POSITIONS ? piece : '[*]'
      const isPosition = piece.startsWith('[')
      const own = isPosition ? piece.slice(1, -1) : piece
      if (/\p{L}/u.test(own) && isKnown(own)) return piece
      return isPosition ? '[*]' : '*'
    })
  }

  demandAll(part.attributes, 'attributes', demand)
  demandAll(part.metadata, 'metadata', demand)
  for (const { check } of part.evidence) demand(check, 'evidence')
  const { refusal } = part
  return {
    ...part,
    refusal:
      refusal === null
        ? null
        : { code: isKnown(refusal.code) ? refusal.code : UNNAMED_REFUSAL, place: mask(refusal.place) },
    evidence: part.evidence.map((entry) => ({ ...entry, place: mask(entry.place) })),
  }
}

function demandAll(value: unknown, place: string, demand: (text: string, place: string) => void): void {
  if (typeof value === 'string') demand(value, place)
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    if (!Array.isArray(value)) demand(key, place)
    demandAll(member, place, demand)
  }
}

const WORD = /[\p{L}\p{N}_$]/u

/** Whether the text occurs in the code and is not a piece of a longer word there. */
function standsIn(code: string, text: string): boolean {
  const startsWithWord = WORD.test(text.charAt(0))
  const endsWithWord = WORD.test(text.charAt(text.length - 1))
  for (let at = code.indexOf(text); at !== -1; at = code.indexOf(text, at + 1)) {
    // The letter of an escape such as `\\n` belongs to no word.
    const begins = !startsWithWord || !WORD.test(code.charAt(at - 1)) || code.charAt(at - 2) === '\\'
    if (begins && (!endsWithWord || !WORD.test(code.charAt(at + text.length)))) return true
  }
  return false
}

/** A text as the bundler writes it into a script of ASCII characters. */
function asciiLiteral(text: string): string {
  let literal = ''
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    const hex = point.toString(16).toUpperCase()
    if (point < 0x80) literal += character === '"' || character === '\\' ? `\\${character}` : character
    else if (point < 0x100) literal += `\\x${hex}`
    else if (point < 0x10000) literal += `\\u${hex.padStart(4, '0')}`
    else literal += `\\u{${hex}}`
  }
  return literal
}

/**
 * The text whose words a verdict may hold: the script itself, or for a WebAssembly module in base64 the texts of ASCII in its bytes.
 *
 * @param code approved code
 */
export function vocabularyOf(code: string): string {
  // What every module begins with: \0asm.
  // The bundler breaks long lines, inside of texts too: a word that a line's end cuts in two is a word of the code.
  if (!code.startsWith('AGFzbQ')) return code.replaceAll('\\\n', '')
  const bytes = decodeBase64(code)
  return bytes === undefined ? '' : latin1(bytes)
}
