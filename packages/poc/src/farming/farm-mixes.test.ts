import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  dressedFile,
  FARM_DAYS,
  madeUpInPart,
  plainDress,
  shuffled,
  simulatedPerson,
  wrappings,
} from '../testing/farm-fixtures.js'
import { peopleByFiles, peopleByItems } from '../testing/farm-strategies.js'
import { playFarm } from '../testing/measure-farms.js'
import { drawsOf } from '../testing/screen-fixtures.js'
import { contentItems, itemsOf } from '../uniqueness/content-items.js'

const own = simulatedPerson(1)
/** Files of one farm: fewer than a hundred, so that many farms are played. */
const FILES = 24

/** Strategies put together at random: pieces, rows made up, another order, other names, other wrappings, a column more or less. */
const farm = fc.record({
  byItems: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  rows: fc.integer({ min: 8, max: FARM_DAYS }),
  madeUp: fc.constantFrom(0, 0.1, 0.2, 0.3, 0.5, 0.8, 1),
  isShuffled: fc.boolean(),
  isRenamed: fc.boolean(),
  wrapping: fc.constantFrom(...wrappings),
  constants: fc.integer({ min: 0, max: 3 }),
  column: fc.constantFrom('kept', 'own', 'steps', 'pulse', 'weight'),
})

test('no mix of farms earns more than 1.2 times one, or than 1.2 times what its new rows are worth', () => {
  fc.assert(
    fc.property(
      farm,
      ({ byItems, seed, rows, madeUp, isShuffled, isRenamed, wrapping, constants, column }) => {
        const draw = drawsOf(seed)
        let fresh = FARM_DAYS
        const files = Array.from({ length: FILES }, (_, at) => {
          const from = (at * rows) % FARM_DAYS
          const piece = [...own, ...own].slice(from, from + rows)
          const made = at === 0 ? piece : madeUpInPart(draw, piece, madeUp)
          fresh += made.filter((row, index) => row !== piece[index]).length
          const brought = isShuffled ? shuffled(draw, made) : made
          if (byItems) return { content: itemsOf(brought), score: 1 }
          const dress = {
            suffix: isRenamed ? `${at}` : '',
            wrapping,
            constants: at === 0 ? 0 : constants,
            ownColumn: at > 0 && column === 'own',
            without: at === 0 || column === 'kept' || column === 'own' ? undefined : column,
          } as const
          return { content: contentItems(dressedFile(draw, brought, { ...plainDress, ...dress })), score: 1 }
        })
        const people = byItems ? peopleByItems : peopleByFiles
        const { manyWallets, oneWallet } = playFarm({ people, files })
        const bound = 1.2 * Math.max(1, fresh / FARM_DAYS)
        expect(manyWallets).toBeLessThanOrEqual(bound)
        expect(oneWallet).toBeLessThanOrEqual(bound)
      },
    ),
    { numRuns: 12 },
  )
}, 300_000)
