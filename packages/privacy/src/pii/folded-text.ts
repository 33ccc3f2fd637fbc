/** A text in the form that rules are written for, with the places of the original. */
export interface FoldedText {
  readonly text: string
  /** Offset in the original of the first unit that a unit of `text` stands for. */
  start(unit: number): number
  /** Offset in the original behind the last unit that a unit of `text` stands for. */
  end(unit: number): number
}

/**
 * What is written otherwise and read as the same: characters without a look of their own, between letters or digits (zero-width
 * spaces and joiners, soft hyphens, marks of direction); full-width and mathematical forms; other scripts' decimal digits; spaces
 * that are no U+0020, and the blank of Braille; hyphens that are no U+002D, the dash of number ranges and the minus sign, which word
 * processors put into numbers; small forms and the one-dot leader; letters with their accents behind them, and marks on what has no
 * form with them (keycaps, strikes). Superscripts and circled numbers are not here: they are notes beside a number more often than
 * digits of it. Marks are bounded, because sorting them is not linear.
 */
const WRITTEN_OTHERWISE =
  /\P{M}\p{M}{1,4}|[\p{Cf}\p{Default_Ignorable_Code_Point}]{1,64}|[\uff01-\uff5e\u{1d400}-\u{1d7ff}]|(?![0-9])\p{Nd}|(?! )[\p{Zs}\u2800]|[\u2010-\u2013\u2212]|[\u2024\ufe50-\ufe6b]|[\p{Mn}\p{Me}]{1,64}/gu

/**
 * Folds a text for matching.
 *
 * @param text - Any text.
 * @returns The folded text with places; null when there is nothing to fold.
 */
export function foldText(text: string): FoldedText | null {
  // Most texts are ASCII, which a look at the units tells quicker than properties of characters.
  if (!/[^\0-\x7f]/.test(text)) return null
  // Places by unit and not by piece: a text of 16 Mi units may have a zero-width space behind every letter.
  let places = new Uint32Array(text.length + 16)
  let widths = new Uint8Array(places.length)
  const parts: string[] = []
  let part = ''
  let length = 0
  const put = (read: string, from: number, written: number): void => {
    if (length + read.length > places.length) {
      const more = Math.ceil(places.length * 1.5) + read.length
      places = grown(places, new Uint32Array(more))
      widths = grown(widths, new Uint8Array(more))
    }
    const same = read.length === written
    for (let unit = 0; unit < read.length; unit += 1) {
      places[length + unit] = same ? from + unit : from
      widths[length + unit] = same ? 1 : written
    }
    length += read.length
    part += read
    if (part.length < 8192) return
    parts.push(part)
    part = ''
  }
  let at = 0
  const known = new Map<string, string>()
  for (const { 0: written, index } of text.matchAll(WRITTEN_OTHERWISE)) {
    put(text.slice(at, index), at, index - at)
    const read = known.get(written) ?? readAs(written)
    // One character: there are only so many of them.
    if (written.length <= 2) known.set(written, read)
    put(read, index, written.length)
    at = index + written.length
  }
  put(text.slice(at), at, text.length - at)
  parts.push(part)
  const folded = parts.join('')
  if (folded === text) return null
  return {
    text: folded,
    start: (unit) => places[unit] ?? 0,
    end: (unit) => (places[unit] ?? 0) + (widths[unit] ?? 0),
  }
}

function grown<Numbers extends Uint32Array | Uint8Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from)
  return to
}

function readAs(written: string): string {
  if (/^[\p{Cf}\p{Default_Ignorable_Code_Point}]+$/u.test(written)) return ''
  if (/^\p{Nd}$/u.test(written)) return String(digitOf(written.codePointAt(0) ?? 0))
  if (/^[\p{Zs}\u2800]$/u.test(written)) return ' '
  if (/^[\u2010-\u2013\u2212]$/.test(written)) return '-'
  if (/^[\uff01-\uff5e\u2024\ufe50-\ufe6b\u{1d400}-\u{1d7ff}]$/u.test(written))
    return written.normalize('NFKC')
  // A character and its marks, of which variation selectors are some; or marks alone, too many to be an accent.
  const [base = '', ...marks] = written
  if (/^\p{M}/u.test(base)) return ''
  if (marks.length === 0) return base
  const accented = `${readAs(base)}${marks.join('')}`.replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  return accented.normalize('NFC').replace(/[\p{Mn}\p{Me}]/gu, '')
}

/** Decimal digits stand in unbroken rows of ten, from 0 to 9 (Unicode Standard, 4.6); rows may touch. */
function digitOf(codePoint: number): number {
  let first = codePoint
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1
  return (codePoint - first) % 10
}
