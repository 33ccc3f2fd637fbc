import { dayForm } from './day-form.js'

/**
 * A value with the name of its column, as items have it: without what a nudge changes.
 *
 * @returns undefined for what is not there
 */
export function cellOf(name: string, value: unknown): string | undefined {
  const text = essence(lowerCase(name).trim(), value)
  return text === '' ? undefined : `${lowerCase(name).trim()}\u001f${text}`
}

/** A value without what a nudge changes; empty for what is not there. */
function essence(name: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = visible(String(value)).trim()
  // Signs around a value and a time behind a day cost nothing to add.
  const bare = text.replace(/[^\p{L}\p{N}]{1,100}$/u, '')
  const day = dayForm(bare.replace(/^[^\p{L}\p{N}]{1,100}/u, ''))
  if (day !== undefined) return day
  if (bare.length < 40 && NUMBER.test(bare)) return rounded(name, bare)
  const words = bare.replace(/[^\p{L}\p{N}]+/gu, ' ').trim()
  // A text of signs alone is what it is; a number in signs is a number.
  if (words === '') return text
  if (words.length < 40 && NUMBER.test(words)) return rounded(name, words)
  // A blank between digits holds numbers apart; anywhere else it costs nothing to add.
  return words
    .replace(/(?<!\p{N}) | (?!\p{N})/gu, '')
    .toUpperCase()
    .toLowerCase()
}

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i

/** Names of columns whose numbers are a place on earth. */
const POSITION = /^(lat|latitude|lng|lon|long|longitude)$/
const DAY = 86_400
/** Unix seconds of 2001-09-09 and of 2099. */
const [FIRST_SECOND, LAST_SECOND] = [1e9, 4.1e9]

function rounded(name: string, text: string): string {
  const number = Number(text)
  if (!Number.isFinite(number)) return text
  // Two digits of these would be a decade and a country.
  if (POSITION.test(name)) return number.toFixed(2)
  for (const second of [number, number / 1000]) {
    if (second >= FIRST_SECOND && second < LAST_SECOND) return `day ${Math.floor(second / DAY)}`
  }
  return number.toPrecision(2)
}

/** @returns a text without accents, joiners and whatever else can stand in it unseen, and with one way to write each letter. */
export function visible(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}\p{Cc}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]+/gu, (run) =>
      /\s/.test(run) ? ' ' : '',
    )
}

/** @returns whether a column of this name holds a latitude or a longitude, of which more digits count than of other numbers */
export function isPosition(name: string): boolean {
  return POSITION.test(lowerCase(name).trim())
}

function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (part) => part.toLowerCase())
}
