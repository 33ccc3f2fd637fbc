import type { LabelledRow } from '../screens/label-flips.js'
import { writtenByAModel } from './written-by-a-model.js'

/*
 * Honest and made-up contributions, simulated: what the screens are measured with. People are made of rules here, too, so that figures from
 * them say how far the screens tell these rules apart, and no more.
 */

/** Draws from 0 to 1 that are a seed's own (mulberry32). */
export type Draw = () => number

/** @param seed any integer */
export function drawsOf(seed: number): Draw {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** About normal, mean 0 and deviation 1. */
function bell(draw: Draw): number {
  let sum = -6
  for (let at = 0; at < 12; at++) sum += draw()
  return sum
}

const between = (draw: Draw, low: number, high: number): number => low + draw() * (high - low)
const whole = (draw: Draw, low: number, high: number): number => Math.floor(between(draw, low, high + 1))
const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at))
const pick = <T>(draw: Draw, list: readonly T[]): T => list[Math.floor(draw() * list.length)] as T

/** Days of a series. */
const DAYS = 150

/** What people measure, by kind. */
export const honestNumbers: Readonly<Record<string, (draw: Draw) => number[]>> = {
  steps: (draw) => {
    const usual = between(draw, 4000, 12_000)
    return times(DAYS, (day) =>
      Math.round(usual * (day % 7 > 4 ? 0.7 : 1) * Math.max(0.05, 1 + 0.35 * bell(draw))),
    )
  },
  pulse: (draw) => {
    const usual = between(draw, 55, 80)
    let now = 0
    return times(DAYS, () => {
      now = 0.6 * now + 3 * bell(draw)
      return Math.round(usual + now)
    })
  },
  weight: (draw) => {
    let now = between(draw, 50, 110)
    return times(DAYS, () => {
      now += 0.3 * bell(draw)
      return Math.round(now * 10) / 10
    })
  },
  receipts: (draw) =>
    times(DAYS, () => {
      const euros = Math.floor(1 + 90 * draw() * draw() * (0.3 + draw()))
      return draw() < 0.4 ? euros + 0.99 : Math.round((euros + draw()) * 100) / 100
    }),
  commute: (draw) => {
    const usual = between(draw, 15, 70)
    return times(DAYS, () => Math.round(usual * (1 + 0.12 * bell(draw)) + (draw() < 0.1 ? 30 * draw() : 0)))
  },
  hours: (draw) => times(DAYS, (day) => (day % 7 > 4 ? 0 : draw() < 0.8 ? 8 : whole(draw, 4, 10))),
}

/** Ways to make numbers up. `bell` is the one that nothing can be held against. */
export const madeUpSeries: Readonly<Record<string, (draw: Draw) => number[]>> = {
  even: (draw) => {
    const from = between(draw, 1000, 5000)
    const step = between(draw, 20, 400)
    return times(DAYS, (day) => Math.round(from + step * day + between(draw, -0.4, 0.4)))
  },
  uniform: (draw) => {
    const low = between(draw, 1000, 4000)
    const high = low * between(draw, 2, 5)
    return times(DAYS, () => Math.round(between(draw, low, high)))
  },
  copied: (draw) => {
    const block = (honestNumbers['steps'] as (draw: Draw) => number[])(draw).slice(0, whole(draw, 10, 40))
    return times(DAYS, (day) => (block[day % block.length] ?? 0) + 137 * Math.floor(day / block.length))
  },
  interpolated: (draw) => {
    const gap = whole(draw, 8, 20)
    const ends = times(DAYS, () => between(draw, 2000, 12_000))
    return times(DAYS, (day) => {
      const [from = 0, to = 0] = ends.slice(Math.floor(day / gap))
      return from + ((to - from) * (day % gap)) / gap
    })
  },
  bell: (draw) => {
    const usual = between(draw, 4000, 12_000)
    return times(DAYS, () => Math.round(usual * (1 + 0.2 * bell(draw))))
  },
}

/** How often the n-th word of a language comes: about 1 in n. */
function zipf(draw: Draw, words: number): number {
  const low = draw()
  return Math.floor(words * low * low * low * low)
}

/** A person's texts: sentences and texts of any length, words of a language, some phrases. */
export function honestTexts(draw: Draw, count: number): string[] {
  const phrases = times(60, () => times(3, () => `w${zipf(draw, 3000)}`).join(' '))
  const sentence = (): string => {
    const length = 2 + Math.floor(28 * draw() * draw())
    const words: string[] = []
    while (words.length < length) words.push(draw() < 0.06 ? pick(draw, phrases) : `w${zipf(draw, 3000)}`)
    return `${words.join(' ')}.`
  }
  return times(count, () => times(1 + Math.floor(9 * draw() * draw()), sentence).join(' '))
}

const openings = ['I bought this', 'We ordered this', 'I got this', 'My wife bought this'] as const
const things = ['grinder', 'kettle', 'toaster', 'blender', 'scale', 'lamp', 'chair', 'monitor'] as const
const praise = ['great', 'good', 'excellent', 'amazing', 'decent', 'solid', 'perfect', 'fine'] as const
const templates: readonly ((draw: Draw) => string)[] = [
  (draw) =>
    `${pick(draw, openings)} ${pick(draw, things)} ${whole(draw, 2, 30)} days ago and it is ${pick(draw, praise)}. The quality is ${pick(draw, praise)} for the price. I would buy the ${pick(draw, things)} again.`,
  (draw) =>
    `The ${pick(draw, things)} arrived after ${whole(draw, 2, 9)} days and works as described. Delivery was ${pick(draw, praise)} and the packaging was ${pick(draw, praise)} too. Highly recommended to everybody.`,
  (draw) =>
    `This is a ${pick(draw, praise)} ${pick(draw, things)} at a ${pick(draw, praise)} price. It is easy to use and looks ${pick(draw, praise)} in the kitchen. Five stars from me and my family.`,
]

/** Ways to make texts up. */
export const madeUpTexts: Readonly<Record<string, (draw: Draw, count: number) => string[]>> = {
  'one template': (draw, count) => {
    const template = pick(draw, templates)
    return times(count, () => template(draw))
  },
  'three templates': (draw, count) => times(count, () => pick(draw, templates)(draw)),
  'one prompt': (draw, count) => {
    const left = [...writtenByAModel]
    return times(
      Math.min(count, left.length),
      () => left.splice(Math.floor(draw() * left.length), 1)[0] ?? '',
    )
  },
  'prompts of any length': (draw, count) => {
    const left = [...writtenByAModel]
    return times(Math.min(count, left.length), () => {
      const text = left.splice(Math.floor(draw() * left.length), 1)[0] ?? ''
      return `${text
        .split('. ')
        .slice(0, whole(draw, 1, 3))
        .join('. ')}.`
    })
  },
}

/** A row of two features, labelled by a rule that people follow nine times of ten. */
function labelledRow(draw: Draw): LabelledRow & { readonly at: number } {
  const [x, y] = [bell(draw), bell(draw)]
  const step = (value: number): number => Math.max(-2, Math.min(1, Math.floor(value)))
  const yes = x + y > 0 !== draw() < 0.1
  return { kind: `${step(x)},${step(y)}`, label: yes ? 'yes' : 'no', at: x + y }
}

/** Rows of a person. */
export function honestLabels(draw: Draw, count: number): LabelledRow[] {
  return times(count, () => labelledRow(draw))
}

/** Ways to poison labels: a share of them turned at random, those that say yes, or those of one kind of row. */
export const poisonedLabels: Readonly<Record<string, (draw: Draw, count: number) => LabelledRow[]>> = {
  half: (draw, count) => honestLabels(draw, count).map((row) => (draw() < 0.5 ? turned(row) : row)),
  'three of ten': (draw, count) => honestLabels(draw, count).map((row) => (draw() < 0.3 ? turned(row) : row)),
  'one of ten': (draw, count) => honestLabels(draw, count).map((row) => (draw() < 0.1 ? turned(row) : row)),
  'each yes': (draw, count) => honestLabels(draw, count).map((row) => ({ ...row, label: 'no' })),
  'one kind': (draw, count) =>
    honestLabels(draw, count).map((row) => (row.kind === '1,1' ? { ...row, label: 'no' } : row)),
}

function turned(row: LabelledRow): LabelledRow {
  return { ...row, label: row.label === 'yes' ? 'no' : 'yes' }
}
