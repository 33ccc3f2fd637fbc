import type { CheckContext } from '../define/check.js'
import { REVIEW_FROM, type Screen } from '../define/screen.js'
import { labelFlips } from '../screens/label-flips.js'
import { labelReference } from '../screens/label-reference.js'
import { machineText } from '../screens/machine-text.js'
import { madeUpNumbers } from '../screens/made-up-numbers.js'
import {
  type Draw,
  drawsOf,
  honestLabels,
  honestNumbers,
  honestTexts,
  madeUpSeries,
  madeUpTexts,
  poisonedLabels,
} from './screen-fixtures.js'

/** Of how many contributions a screen asks for a review. */
export interface ScreenFigures {
  /** Honest ones, by kind. */
  readonly honest: Readonly<Record<string, number>>
  /** Made-up ones, by kind. */
  readonly madeUp: Readonly<Record<string, number>>
  /** Of those that it asks for, the share that is made up, where there are as many of one as of the other. */
  readonly precision: number
  /** Of those that are made up, the share that it asks for. */
  readonly recall: number
}

const context: CheckContext = {
  facts: { uniqueness: { duplicate: false }, owner: `0x${'0'.repeat(40)}` },
  mediaType: 'application/json',
}

/** The rows of a pool of 60 contributors, for `labelFlips`. */
export function referenceOf(seed: number) {
  const draw = drawsOf(seed)
  return labelReference(
    Array.from({ length: 60 }, (_, person) =>
      honestLabels(draw, 40).map((row) => ({ ...row, contributor: String(person) })),
    ).flat(),
  )
}

/**
 * Counts what the screens say on contributions that no threshold was chosen by: seeds from `first` on.
 *
 * @param first first seed
 * @param each contributions of each kind
 */
export function measureScreens(first: number, each: number) {
  const share = <Value>(screen: Screen<Value>, make: (draw: Draw) => Value): number => {
    let asked = 0
    for (let seed = first; seed < first + each; seed++) {
      if ((screen(make(drawsOf(seed)), context)?.suspicion ?? 0) >= REVIEW_FROM) asked++
    }
    return asked / each
  }
  const figures = <Value>(
    screen: Screen<Value>,
    honest: Readonly<Record<string, (draw: Draw) => Value>>,
    madeUp: Readonly<Record<string, (draw: Draw) => Value>>,
  ): ScreenFigures => {
    const shares = (kinds: Readonly<Record<string, (draw: Draw) => Value>>) =>
      Object.fromEntries(Object.entries(kinds).map(([kind, make]) => [kind, share(screen, make)]))
    const mean = (all: Readonly<Record<string, number>>): number =>
      Object.values(all).reduce((sum, one) => sum + one, 0) / Object.values(all).length
    const [good, bad] = [shares(honest), shares(madeUp)]
    const [wrong, recall] = [mean(good), mean(bad)]
    const rounded = (value: number): number => Math.round(value * 1000) / 1000
    return {
      honest: good,
      madeUp: bad,
      precision: rounded(recall / (recall + wrong)),
      recall: rounded(recall),
    }
  }
  const counted = <Value>(
    kinds: Readonly<Record<string, (draw: Draw, count: number) => Value>>,
    count: number,
  ): Readonly<Record<string, (draw: Draw) => Value>> =>
    Object.fromEntries(Object.entries(kinds).map(([kind, make]) => [kind, (draw: Draw) => make(draw, count)]))
  return {
    text: figures(
      machineText<readonly string[]>({ texts: (texts) => texts }),
      counted({ people: honestTexts }, 16),
      counted(madeUpTexts, 16),
    ),
    numbers: figures(
      madeUpNumbers<readonly number[]>({ series: (values) => ({ values }) }),
      honestNumbers,
      madeUpSeries,
    ),
    labels: figures(
      labelFlips({ rows: (rows: ReturnType<typeof honestLabels>) => rows, reference: referenceOf(first) }),
      counted({ people: honestLabels }, 60),
      counted(poisonedLabels, 60),
    ),
  }
}
