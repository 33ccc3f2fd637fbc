import { type Draw, drawsOf } from './screen-fixtures.js'

/*
 * SIMULATED contributions: people, and farms made from what one of them has. All rows and words are made up, so that figures from them say how
 * the indexes take these rows and words, and no more.
 */

/** One day of a person. */
export interface SimulatedDay {
  readonly day: string
  readonly steps: number
  readonly pulse: number
  readonly weight: number
}

/** Days of a contribution. */
export const FARM_DAYS = 50

/** About normal, mean 0 and deviation 1. */
function normal(draw: Draw): number {
  let sum = -6
  for (let at = 0; at < 12; at++) sum += draw()
  return sum
}

/**
 * A person's days: levels of his own, log-normal steps that weekends lower.
 *
 * @param seed any integer, one for each person
 * @param days how many
 */
export function simulatedPerson(seed: number, days: number = FARM_DAYS): readonly SimulatedDay[] {
  const draw = drawsOf(seed)
  const level = 7000 * Math.exp(0.5 * normal(draw))
  const [pulse, weight] = [68 + 8 * normal(draw), 72 + 12 * normal(draw)]
  return Array.from({ length: days }, (_, at) => ({
    day: new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10),
    steps: Math.round(level * Math.exp(0.45 * normal(draw) - (at % 7 > 4 ? 0.5 : 0))),
    pulse: Math.round(pulse + 5 * normal(draw)),
    weight: Math.round(10 * (weight + 0.5 * normal(draw))) / 10,
  }))
}

/** @returns the same things in an order of the draw's */
export function shuffled<Thing>(draw: Draw, things: readonly Thing[]): readonly Thing[] {
  return things
    .map((thing) => ({ thing, at: draw() }))
    .sort((a, b) => a.at - b.at)
    .map(({ thing }) => thing)
}

/** @returns rows of which a share, where the draw puts it, is another person's of the same days */
export function madeUpInPart(
  draw: Draw,
  rows: readonly SimulatedDay[],
  share: number,
): readonly SimulatedDay[] {
  const others = simulatedPerson(Math.floor(draw() * 2 ** 31))
  const changed = new Set(shuffled(draw, [...rows.keys()]).slice(0, Math.round(share * rows.length)))
  return rows.map((row, at) => (changed.has(at) ? (others[at] ?? row) : row))
}

/** Words of a person's letter, drawn from a language of 5,000 of which the n-th comes about once in n. */
export function simulatedLetter(seed: number): readonly string[] {
  const draw = drawsOf(seed)
  return Array.from({ length: 400 }, () => `word${Math.floor(5000 ** draw())}`)
}

/** @returns the letter with a share of its words, each by itself, in words that nobody else uses, long ones for short ones too */
export function inOtherWords(draw: Draw, words: readonly string[], share: number): readonly string[] {
  return words.map((word) => (draw() < share ? `${word}like${Math.floor(draw() * 5)}` : word))
}

/** @returns the letter with a share of its words, each by itself, replaced by another word that people use */
export function inUsualWords(draw: Draw, words: readonly string[], share: number): readonly string[] {
  return words.map((word) => (draw() < share ? `word${Math.floor(5000 ** draw())}` : word))
}

/** Ways to write one table that a proof without `items` reads as it comes. */
export const wrappings = ['list', 'csv', 'columns', 'by-day', 'lists'] as const
/** One of {@link wrappings}. */
type Wrapping = (typeof wrappings)[number]

/** How the copies of a farm differ from what they are copies of, without a new row. */
export interface Dress {
  /** Behind each name of a column; the names themselves when it is empty. */
  readonly suffix: string
  readonly wrapping: Wrapping
  /** Columns that say the same in each row. */
  readonly constants: number
  /** A column that says something else in each row. */
  readonly ownColumn: boolean
  /** A column that is left out. */
  readonly without?: keyof SimulatedDay | undefined
}

/** Rows as they are. */
export const plainDress: Dress = { suffix: '', wrapping: 'list', constants: 0, ownColumn: false }

/** @returns a file of the rows, dressed */
export function dressedFile(
  draw: Draw,
  rows: readonly SimulatedDay[],
  { suffix, wrapping, constants, ownColumn, without }: Dress,
): { readonly mediaType: string; readonly bytes: Uint8Array } {
  const added = Array.from(
    { length: constants },
    (_, at) => [`constant${at}`, `c${Math.floor(draw() * 1e9)}`] as const,
  )
  const table = rows.map((row) => {
    const cells: (readonly [string, string | number])[] = Object.entries(row).filter(
      ([name]) => name !== without,
    )
    const own = ownColumn ? [['own', `o${Math.floor(draw() * 1e9)}`] as const] : []
    return [...cells, ...added, ...own].map(([name, value]) => [name + suffix, value] as const)
  })
  const names = (table[0] ?? []).map(([name]) => name)
  const written = {
    list: () => JSON.stringify(table.map((cells) => Object.fromEntries(cells))),
    csv: () =>
      [names, ...table.map((cells) => cells.map(([, value]) => value))]
        .map((line) => line.join(','))
        .join('\n'),
    columns: () =>
      JSON.stringify(
        Object.fromEntries(names.map((name, at) => [name, table.map((cells) => cells[at]?.[1])])),
      ),
    'by-day': () =>
      JSON.stringify(
        Object.fromEntries(table.map(([first, ...cells]) => [first?.[1], Object.fromEntries(cells)])),
      ),
    lists: () => JSON.stringify(table.map((cells) => cells.map(([, value]) => value))),
  }
  return {
    mediaType: wrapping === 'csv' ? 'text/csv' : 'application/json',
    bytes: new TextEncoder().encode(written[wrapping]()),
  }
}
