import { contentItems, type ItemSource, itemsOf } from '../uniqueness/content-items.js'
import {
  type Dress,
  dressedFile,
  FARM_DAYS,
  inOtherWords,
  inUsualWords,
  madeUpInPart,
  plainDress,
  type SimulatedDay,
  shuffled,
  simulatedLetter,
  simulatedPerson,
  wrappings,
} from './farm-fixtures.js'
import { type Draw, drawsOf } from './screen-fixtures.js'

/** One file of a farm, and what the proof gives it before it is asked whether it is new. */
export interface FarmFile {
  readonly content: ItemSource
  readonly score: number
}

/** What a farm does, and whom it comes to. */
interface FarmStrategy {
  /** What the pool has before: as many rows as the export has that the farm is made of. */
  readonly people: readonly ItemSource[]
  /** The files; the first of a farm of copies is the one that they are copies of. */
  readonly file: (at: number, draw: Draw) => FarmFile
}

/** Files of a farm. */
export const FARM_FILES = 100
/** Honest people whose contributions the pool has before the farm comes. */
const PEOPLE = 10

const own = simulatedPerson(1)
const crowd = (days: number) => Array.from({ length: PEOPLE }, (_, at) => simulatedPerson(100 + at, days))
const letter = simulatedLetter(1)
const file = (rows: readonly object[], score = 1): FarmFile => ({ content: itemsOf(rows), score })
const text = (words: readonly string[]): FarmFile => ({
  content: contentItems({ mediaType: 'text/plain', bytes: new TextEncoder().encode(words.join(' ')) }),
  score: 1,
})

/** People whose rows a proof reads by its `items`. */
export const peopleByItems: readonly ItemSource[] = crowd(FARM_DAYS).map((rows) => itemsOf(rows))
/** The same in files, for a proof without `items`. */
export const peopleByFiles: readonly ItemSource[] = crowd(FARM_DAYS).map((rows) =>
  contentItems(dressedFile(drawsOf(1), rows, plainDress)),
)
const longPeople = crowd(FARM_FILES).map((rows) => itemsOf(rows))
const writers = Array.from({ length: PEOPLE }, (_, at) => text(simulatedLetter(100 + at)).content)
/** An export of a hundred days, which a farm brings day by day. */
const long = simulatedPerson(2, FARM_FILES)
const dayOf = (at: number) => long.slice(at, at + 1)

const ofRows = (make: FarmStrategy['file']): FarmStrategy => ({ people: peopleByItems, file: make })
const ofPieces = (make: FarmStrategy['file']): FarmStrategy => ({ people: longPeople, file: make })
const ofLetters = (make: FarmStrategy['file']): FarmStrategy => ({ people: writers, file: make })
const ofFiles = (
  dress: (at: number) => Partial<Dress>,
  rows: (at: number) => readonly SimulatedDay[] = () => own,
): FarmStrategy => ({
  people: peopleByFiles,
  file: (at, draw) => ({
    content: contentItems(dressedFile(draw, rows(at), { ...plainDress, ...dress(at) })),
    score: 1,
  }),
})
const reworded = (share: number): FarmStrategy =>
  ofLetters((at, draw) => text(at === 0 ? letter : inOtherWords(draw, letter, share)))
const copies = (madeUp: number): FarmStrategy =>
  ofRows((at, draw) => file(at === 0 ? own : madeUpInPart(draw, own, madeUp)))

/** Farms by what they do. */
export const farmsByName: Readonly<Record<string, FarmStrategy>> = {
  'exact copies': ofRows(() => file(own)),
  'rows in another order': ofRows((_, draw) => file(shuffled(draw, own))),
  'copies of 90 %, the rest made up': copies(0.1),
  'copies of 70 %, the rest made up': copies(0.3),
  'copies of 50 %, the rest made up': copies(0.5),
  'columns renamed, the proof names its `items`': ofRows(() => file(own)),
  'columns renamed, no `items`': ofFiles((at) => ({ suffix: `${at}` })),
  'renamed, in lists, columns, CSV, by day, no `items`': ofFiles((at) => ({
    suffix: `${at}`,
    wrapping: wrappings[at % wrappings.length] ?? 'list',
  })),
  'renamed, with three constants, no `items`': ofFiles((at) => ({
    suffix: `${at}`,
    constants: at === 0 ? 0 : 3,
  })),
  'renamed, a column of its own in each row, no `items`': ofFiles((at) => ({
    suffix: `${at}`,
    ownColumn: at > 0,
  })),
  'renamed, a column left out, no `items`': ofFiles((at) => ({
    suffix: `${at}`,
    without: at === 0 ? undefined : (['steps', 'pulse', 'weight'] as const)[at % 3],
  })),
  'pieces of one export, a score that follows the rows': ofPieces((at) => file(dayOf(at), 1 / FARM_FILES)),
  'pieces of one export, a score that does not look at the rows': ofPieces((at) => file(dayOf(at))),
  'the same pieces, before anybody else came': { people: [], file: (at) => file(dayOf(at)) },
  'rows of others, put together anew': ofRows((_, draw) =>
    file(shuffled(draw, crowd(FARM_DAYS).flat()).slice(0, FARM_DAYS)),
  ),
  'a letter with 2 % other words': reworded(0.02),
  'a letter with 5 % other words': reworded(0.05),
  'a letter with 20 % other words': reworded(0.2),
  'a letter with 50 % other words': reworded(0.5),
  'a letter with 20 % other usual words': ofLetters((at, draw) =>
    text(at === 0 ? letter : inUsualWords(draw, letter, 0.2)),
  ),
  'a hundred honest people': ofRows((at) => file(simulatedPerson(1000 + at))),
  'a hundred honest people of 40 to 60 days': ofRows((at) =>
    file(simulatedPerson(1000 + at, 40 + ((at * 7) % 21))),
  ),
  'a hundred honest people of 10 to 90 days': ofRows((at) =>
    file(simulatedPerson(1000 + at, 10 + ((at * 7) % 81))),
  ),
  'a hundred honest people, no `items`': ofFiles(
    () => ({}),
    (at) => simulatedPerson(1000 + at),
  ),
  'a hundred honest letters': ofLetters((at) => text(simulatedLetter(1000 + at))),
}
