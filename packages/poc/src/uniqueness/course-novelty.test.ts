import { describe, expect, test } from 'vitest'
import { DEFAULT_FARMING_RULE, marginalValue } from '../farming/marginal-value.js'
import { itemsOf } from './content-items.js'
import { contentSketch } from './content-sketch.js'
import { courseNovelty, courseSketch } from './course-novelty.js'
import { createNearDuplicateIndex } from './near-duplicate-index.js'
import { novelty } from './novelty.js'

const key = new Uint8Array(32).fill(1)

/** A SIMULATION of people's days: a level of his own for each, log-normal steps with a weekend, and what goes with them. */
function simulation(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const normal = (): number => Array.from({ length: 12 }, next).reduce((sum, one) => sum + one, -6)
  const columns = ['steps', 'km', 'pulse', 'weight'] as const
  type Row = { readonly day: string } & Record<(typeof columns)[number], number>
  const person = (days: number): Row[] => {
    const [level, pulse, weight] = [7000 * Math.exp(0.5 * normal()), 68 + 8 * normal(), 72 + 12 * normal()]
    return Array.from({ length: days }, (_, at) => {
      const steps = level * Math.exp(0.45 * normal() - (at % 7 > 4 ? 0.5 : 0))
      return {
        day: new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10),
        steps: Math.round(steps),
        km: Math.round(steps * 0.07 * (1 + 0.1 * normal())) / 100,
        pulse: Math.round(pulse + 5 * normal()),
        weight: Math.round(10 * (weight + 0.5 * normal())) / 10,
      }
    })
  }
  const moved = (value: number, steps: number): number => {
    const width = 10 ** (Math.floor(Math.log10(value)) - 1)
    return Math.max(width, (Math.round(value / width) + steps) * width)
  }
  const aside = (by: number): number => (Math.floor(next() * 3) - 1) * by
  /** Every number moved by steps of two significant digits: a column by the same ones, or each by its own. */
  const copy = (rows: readonly Row[], by: number, each: boolean): Row[] => {
    const fixed = columns.map(() => aside(by))
    return rows.map((row) => ({
      ...row,
      ...Object.fromEntries(
        columns.map((name, at) => [name, moved(row[name], each ? aside(by) : (fixed[at] ?? 0))]),
      ),
    }))
  }
  return { person, copy }
}

function play(files: readonly (readonly object[])[]): number {
  const [near, courses] = [createNearDuplicateIndex(), createNearDuplicateIndex()]
  let earned = 0
  for (const file of files) {
    const content = itemsOf(file)
    const before = { ofIdentity: 0, ofCluster: { count: 0, earned: 0 } }
    const found = novelty({ key, content, near, courses })
    earned += marginalValue({ rule: DEFAULT_FARMING_RULE, before, novelty: found, score: 1 }).value
    near.add(contentSketch({ key, ...content }))
    const course = courseSketch({ key, ...content })
    if (course !== undefined) courses.add(course)
  }
  return earned
}

/** What the index of courses alone leaves. */
function earnedByCourse(files: readonly (readonly object[])[]): number {
  const courses = createNearDuplicateIndex()
  let earned = 0
  for (const file of files) {
    const content = itemsOf(file)
    earned += courseNovelty({ key, content, courses })
    const course = courseSketch({ key, ...content })
    if (course !== undefined) courses.add(course)
  }
  return earned
}

describe('a farm of 100 copies of 50 days of which every number was moved', () => {
  test.each([
    [2, false],
    [3, false],
    [5, false],
    [10, false],
    [2, true],
  ])('by %s steps (each number by its own: %s) earns less than 1.2 times one', (by, each) => {
    const { person, copy } = simulation(7)
    const own = person(50)
    const earned = play(Array.from({ length: 100 }, (_, at) => (at === 0 ? own : copy(own, by, each))))
    expect(earned).toBeGreaterThanOrEqual(1)
    expect(earned).toBeLessThan(1.2)
  })
  test('more than that, or fewer days, pass: README says so', () => {
    const { person, copy } = simulation(7)
    const farm = (days: number, by: number) => {
      const own = person(days)
      return play(Array.from({ length: 100 }, (_, at) => (at === 0 ? own : copy(own, by, true))))
    }
    expect(farm(50, 10)).toBeGreaterThan(50)
    expect(farm(15, 2)).toBeGreaterThan(50)
  })
})

test('a hundred honest people of the same days earn in full, weekends and all', () => {
  const { person } = simulation(5)
  expect(play(Array.from({ length: 100 }, () => person(50)))).toBeGreaterThan(97)
})

/** A SIMULATION of people who do at the same times of each week or month what others do then. */
test.each<[string, (at: number, level: number, noise: () => number) => object]>([
  ['work on the same days', (at, level) => ({ hours: at % 7 > 4 ? 0 : level })],
  [
    'sleep longer on weekends',
    (at, level, noise) => ({ sleep: (at % 7 > 4 ? 500 : 420) + 4 * level + 8 * noise() }),
  ],
  [
    'sell by the day of the week',
    (at, level, noise) => ({
      sales: 1000 * level * ([1, 1, 1.1, 1.3, 1.8, 2.5, 0][at % 7] ?? 1) * (1 + noise() / 12),
    }),
  ],
  [
    'are paid at the beginning of a month',
    (at, level, noise) => {
      const day = new Date(Date.UTC(2026, 0, 5 + at)).getUTCDate()
      return { balance: 3000 + 15 * level * (31 - day) + 50 * noise() }
    },
  ],
])('twelve honest people who %s earn in full', (_, of) => {
  let state = 7
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const person = () => {
    const level = 6 + 2 * next()
    return Array.from({ length: 200 }, (_unused, at) => ({
      day: new Date(Date.UTC(2026, 0, 5 + at)).toISOString().slice(0, 10),
      ...of(at, level, () => 2 * (next() + next() - 1)),
    }))
  }
  expect(earnedByCourse(Array.from({ length: 12 }, person))).toBeGreaterThan(11.5)
})

test('the nearest of very many has to be nearer than that of a few', () => {
  const content = itemsOf(simulation(7).person(200))
  const nearAt = (contained: number, size: number) => ({
    ...createNearDuplicateIndex(),
    size,
    nearest: () => ({ entry: 0, similarity: 1, contained }),
  })
  const of = (contained: number, size: number) =>
    courseNovelty({ key, content, courses: nearAt(contained, size) })
  const least = [0, 1, 200, 2_000, 20_000_000].map((size) =>
    Array.from({ length: 200 }, (_, at) => at / 200).find((contained) => of(contained, size) < 1),
  )
  const [few = 1, , , many = 0] = least
  expect(least.slice(0, 3)).toEqual([few, few, few])
  expect(few).toBeGreaterThan(0.7)
  expect(many).toBeGreaterThan(few + 0.02)
  // Among so many none is told from a copy by so little.
  expect(least[4]).toBeUndefined()
})

describe('a sketch', () => {
  const rows = simulation(3).person(50)
  test('needs a key, and says nothing to whoever has another', () => {
    const content = itemsOf(rows)
    expect(() => courseSketch({ key: new Uint8Array(31), ...content })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
    const courses = createNearDuplicateIndex()
    const own = courseSketch({ key, ...content })
    const other = courseSketch({ key: new Uint8Array(32), ...content })
    if (own === undefined || other === undefined) throw new Error('no course')
    courses.add(own)
    expect(courses.nearest(own)?.contained).toBe(1)
    expect(courses.nearest(other)).toBeUndefined()
  })
  test('is there for a file too, and for nothing that says too little', () => {
    const file = { mediaType: 'application/json', bytes: new TextEncoder().encode(JSON.stringify(rows)) }
    expect(courseSketch({ key, ...file })).toEqual(courseSketch({ key, ...itemsOf(rows) }))
    expect(courseSketch({ key, ...itemsOf(rows.slice(0, 10)) })).toBeUndefined()
    expect(courseSketch({ key, ...itemsOf([]) })).toBeUndefined()
    const picture = { mediaType: 'image/png', bytes: Uint8Array.of(1) }
    expect(courseSketch({ key, ...picture })).toBeUndefined()
  })
})
