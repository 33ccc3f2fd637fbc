// SIMULATED farms and honest people, through the three indexes that a node keeps: the figures of packages/poc/README.md, "Uniqueness and
// farming". All rows are made up. Run: node bench/poc/farms.mjs [parts, by commas] [seeds]; a part is `people`, `lists`, or the days of
// a line of farms, which takes a minute.
import {
  contentSketch,
  courseSketch,
  createNearDuplicateIndex,
  createRowIndex,
  DEFAULT_FARMING_RULE,
  itemsOf,
  marginalValue,
  novelty,
} from '@sealpool/poc'

const key = new Uint8Array(32).fill(1)
const columns = ['steps', 'km', 'pulse', 'weight']

function random(seed) {
  let state = seed
  const next = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const normal = () => Array.from({ length: 12 }, next).reduce((sum, one) => sum + one, -6)
  return { next, normal }
}

const dayOf = (at) => new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10)

/** Days of one person: a level of his own for each column, log-normal steps that weekends lower, and what goes with them. */
function person({ normal }, days, weekend = 0.5) {
  const [level, pulse, weight] = [7000 * Math.exp(0.5 * normal()), 68 + 8 * normal(), 72 + 12 * normal()]
  return Array.from({ length: days }, (_, at) => {
    const steps = level * Math.exp(0.45 * normal() - (at % 7 > 4 ? weekend : 0))
    return {
      day: dayOf(at),
      steps: Math.round(steps),
      km: Math.round(steps * 0.07 * (1 + 0.1 * normal())) / 100,
      pulse: Math.round(pulse + 5 * normal()),
      weight: Math.round(10 * (weight + 0.5 * normal())) / 10,
    }
  })
}

function moved(value, steps) {
  const width = 10 ** (Math.floor(Math.log10(value)) - 1)
  return Math.max(width, (Math.round(value / width) + steps) * width)
}

/** A copy with every number moved by steps of two significant digits: a column by the same ones, or each number by its own. */
function copy({ next }, rows, by, each) {
  const aside = () => (Math.floor(next() * 3) - 1) * by
  const fixed = columns.map(aside)
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(columns.map((name, at) => [name, moved(row[name], each ? aside() : fixed[at])])),
  }))
}

function pool() {
  const [near, rows, courses] = [
    createNearDuplicateIndex(),
    createRowIndex({ key }),
    createNearDuplicateIndex(),
  ]
  return {
    rows,
    noveltyOf: (content) => novelty({ key, content, near, rows, courses }),
    add(content) {
      near.add(contentSketch({ key, ...content }))
      rows.add(content)
      const course = courseSketch({ key, ...content })
      if (course !== undefined) courses.add(course)
    },
  }
}

/** What files earn, each under a wallet and in a cluster of its own. */
function earned(files) {
  const held = pool()
  let sum = 0
  for (const file of files) {
    const content = itemsOf(file)
    const before = { ofIdentity: 0, ofCluster: { count: 0, earned: 0 } }
    sum += marginalValue({
      rule: DEFAULT_FARMING_RULE,
      before,
      novelty: held.noveltyOf(content),
      score: 1,
    }).value
    held.add(content)
  }
  return sum
}

const parts = (process.argv[2] ?? 'people,lists,100,50,30,20').split(',')
const seeds = (process.argv[3] ?? '7').split(',').map(Number)
const lines = parts.map(Number).filter(Number.isInteger)
const figure = (values) =>
  [
    ...new Set([Math.min(...values), Math.max(...values)].map((value) => value.toFixed(value < 9.5 ? 1 : 0))),
  ].join(' to ')

console.log(`what 100 copies earn of one (least to most of the seeds ${seeds.join(', ')})`)
console.log('days | a column by the same 2, 3, 5, 10 | each number by its own 2 | 3 | 5 | 10')
for (const days of lines) {
  const farm = (by, each) =>
    seeds.map((seed) => {
      const source = random(seed)
      const own = person(source, days)
      return earned(Array.from({ length: 100 }, (_, at) => (at === 0 ? own : copy(source, own, by, each))))
    })
  const line = [[2, 3, 5, 10].flatMap((by) => farm(by, false)), ...[2, 3, 5, 10].map((by) => farm(by, true))]
  console.log([days, ...line.map(figure)].join(' | '))
}

console.log('\nhonest people of the same days: what all of them earn of one each, and the least of one')
for (const [people, days, weekend] of !parts.includes('people')
  ? []
  : [
      [100, 50, 0.5],
      [100, 50, 1.1],
    ]) {
  const source = random(5)
  const held = pool()
  const shares = Array.from({ length: people }, () => {
    const content = itemsOf(person(source, days, weekend))
    const found = held.noveltyOf(content)
    held.add(content)
    return found
  })
  const mean = shares.reduce((sum, one) => sum + one, 0) / people
  console.log(
    `${people} people, ${days} days, weekends ${weekend}: mean ${mean.toFixed(3)}, least ${Math.min(...shares).toFixed(2)}`,
  )
}

console.log('\nday and steps alone: what rows of 20 honest people of 50 days are new after others')
const steps = [
  ...Array.from({ length: 90 }, (_, at) => 1000 + at * 100),
  ...Array.from({ length: 20 }, (_, at) => 10_000 + at * 1000),
]
const grid = (days, values) =>
  itemsOf(
    Array.from({ length: days }, (_, at) => values.map((value) => ({ day: dayOf(at), steps: value }))).flat(),
  )
const only = (rows) => itemsOf(rows.map((row) => ({ day: row.day, steps: row.steps })))
const source = random(5)
const twenty = Array.from({ length: 20 }, () => only(person(source, 50)))
for (const [name, files] of !parts.includes('lists')
  ? []
  : [
      ['a list of all 40,150 rows of a year', [grid(365, steps)]],
      ['a hundred such lists', Array.from({ length: 100 }, () => grid(50, steps))],
      ['two numbers of steps on each day', [grid(365, [7000, 7100])]],
      [
        'twenty files of two numbers each',
        Array.from({ length: 20 }, (_, at) => grid(365, steps.slice(50 + 2 * at, 52 + 2 * at))),
      ],
      ['a hundred honest people', Array.from({ length: 100 }, () => only(person(source, 50)))],
    ]) {
  const { rows } = pool()
  for (const file of files) rows.add(file)
  const mean = twenty.reduce((sum, content) => sum + rows.novelty(content), 0) / twenty.length
  console.log(`${name}: ${mean.toFixed(2)}`)
}
