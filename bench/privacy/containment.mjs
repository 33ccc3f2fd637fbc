// Which of many sets hold an asked one: the index against looking at every sketch, and what it finds against exact counts.
import { containment, containmentIndex, jaccardSimilarity, minHash } from '@sealpool/privacy/sketch'
import { median } from '../measure/compare.mjs'
import { figure, printTable, ratio } from '../measure/table.mjs'

const count = Number(process.env['BENCH_SETS'] ?? 100_000)
const questions = 200
const threshold = 0.8
const similar = 0.8

/** Numbers that are the same in every run. */
function numbers(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Sets of 20 to 400 items, of which every second is made of a part of an earlier one. */
function manySets() {
  const random = numbers(5)
  const sets = []
  for (let number = 0; number < count; number++) {
    const part = number > 0 && random() < 0.5 ? sets[Math.floor(number * random())] : undefined
    const share = random() < 0.5 ? 0.95 : 0.5
    const items = part === undefined ? [] : part.filter(() => random() < share)
    const own = part === undefined ? 20 * 20 ** random() : 4 + items.length * random() * 0.5
    for (let item = 0; item < own && items.length < 400; item++) items.push(`${number} ${item}`)
    sets.push(items)
  }
  return sets
}

/** For each asked set the sets that hold at least the threshold of it, counted. */
function exactly(sets, asked) {
  const holders = new Map()
  for (const question of asked) for (const item of sets[question]) holders.set(item, [])
  for (const [entry, items] of sets.entries()) for (const item of items) holders.get(item)?.push(entry)
  return asked.map((question) => {
    const shared = new Map()
    for (const item of sets[question])
      for (const entry of holders.get(item)) shared.set(entry, (shared.get(entry) ?? 0) + 1)
    return [...shared].filter(([, held]) => held >= threshold * sets[question].length).map(([entry]) => entry)
  })
}

/** @param {(line: string) => void} print */
export function containmentOfSets(print) {
  const key = crypto.getRandomValues(new Uint8Array(32))
  const sets = manySets()
  const began = performance.now()
  const sketches = sets.map((items) => ({
    sketch: minHash({ items, key, use: 'bench' }),
    size: items.length,
  }))
  const sketched = performance.now()
  const index = containmentIndex({ sketches })
  const built = performance.now()
  const random = numbers(8)
  const asked = Array.from({ length: questions }, () => Math.floor(count * random()))
  const truth = exactly(sets, asked)
  const timed = (run) => {
    const start = performance.now()
    const answer = run()
    return { answer, milliseconds: performance.now() - start }
  }
  let held = 0
  let found = 0
  let given = 0
  const times = asked.map((question, place) => {
    const { answer, milliseconds } = timed(() => index.containing({ ...sketches[question], threshold }))
    const entries = new Set(answer.map(({ entry }) => entry))
    held += truth[place].length
    found += truth[place].filter((entry) => entries.has(entry)).length
    given += answer.length
    return milliseconds
  })
  const whole = asked.slice(0, 10).map((question) => {
    const { sketch, size } = sketches[question]
    return timed(() =>
      sketches.filter((other) => {
        const jaccard = jaccardSimilarity(sketch, other.sketch)
        return containment({ jaccard, size, otherSize: other.size }) >= threshold
      }),
    ).milliseconds
  })
  const pairs = timed(() => {
    let all = 0
    for (const _ of index.similarPairs({ threshold: similar })) all++
    return all
  })
  printTable(print, {
    title: `Containment among ${count.toLocaleString('en')} keyed sketches of 256 orders, sets of 20 to 400 items`,
    columns: ['', 'measured', '/ every sketch looked at'],
    rows: [
      ['sketching one set', `${figure((sketched - began) / count)} ms`, ''],
      ['making the index', `${figure((built - sketched) / 1000)} s`, ''],
      ['memory of the index', `${figure(index.bytes / 2 ** 20)} MiB`, ''],
      [
        `sets that hold ${threshold} of an asked one`,
        `${figure(median(times))} ms`,
        ratio(median(times), median(whole)),
      ],
      ['the same, every sketch looked at', `${figure(median(whole))} ms`, ratio(1, 1)],
      [`all pairs with a similarity of ${similar}`, `${figure(pairs.milliseconds / 1000)} s`, ''],
      ['pairs', pairs.answer.toLocaleString('en'), ''],
      [`recall against exact counts, ${held} of ${questions} questions`, figure(found / held), ''],
      ['share of the answers that exact counts confirm', figure(found / given), ''],
    ],
    notes: [
      'Recall is to be above 0.95. Answers within two standard errors below the threshold are given as well.',
    ],
  })
}
