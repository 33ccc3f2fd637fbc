// Record and replay: each statistic runs on a generated table and on its neighbour, which lacks one contributor, with the same random
// bytes. Then noise is the same in both, and what is left of a difference is how far the exact statistic moved. Statements in SQL are
// replayed by `npm run conformance -- replay`.
import {
  histogramOfPublicGroups,
  noisyCount,
  noisyMean,
  noisyQuantile,
  noisySum,
  noisyVariance,
  quantileScores,
  quantileSensitivity,
} from '@sealpool/privacy/statistic'
import { noisyVectorSum } from '@sealpool/privacy/training'
import { deterministicRandom } from '../reader/deterministic-random.mjs'

const queries = 600

/** @param count counts one case: `(kind, agrees, what)` */
export function replayCases(count) {
  for (let number = 0; number < queries; number++) replay(count, number)
}

function replay(count, number) {
  const dice = dicesOf(`query ${number}`)
  const rows = Array.from({ length: dice.below(80) }, () => ({
    contributor: `c${dice.below(12)}`,
    value: BigInt(dice.below(4_000) - 2_000),
    group: `g${dice.below(6)}`,
  }))
  const leaving = `c${dice.below(12)}`
  const without = rows.filter(({ contributor }) => contributor !== leaving)
  const min = BigInt(dice.below(200) - 100)
  const cost = { epsilon: (1 + dice.below(40)) / 10, ...(dice.below(2) === 0 ? {} : { delta: 1e-6 }) }
  const rowsPerContributor = 1 + dice.below(5)
  const common = { ...cost, rowsPerContributor, range: { min, max: min + BigInt(1 + dice.below(500)) } }
  const kinds = [
    ['count', (data, random) => [noisyCount({ ...common, rows: data, random })]],
    ['sum', (data, random) => [noisySum({ ...common, rows: data, random })]],
    ['mean', (data, random) => Object.values(noisyMean({ ...common, rows: data, random }).released)],
    ['variance', (data, random) => Object.values(noisyVariance({ ...common, rows: data, random }).released)],
    ['histogram', null],
    ['quantile', null],
    ['vector sum', null],
  ]
  const [kind, run] = kinds[number % kinds.length]
  const what = `query ${number} (${kind}) without ${leaving}`
  const twice = (work) => [work(rows, counting(number)), work(without, counting(number))]
  const sameBytes = ([, one], [, other]) =>
    count('randomness used does not depend on data', one === other, `${what}: ${one} and ${other} bytes`)
  if (run !== null) {
    const [before, after] = twice((data, random) => [run(data, random), random.bytes])
    sameBytes(before, after)
    before[0].forEach(({ value, sensitivity }, index) => {
      const moved = magnitude(value - after[0][index].value)
      const stated = sensitivity === after[0][index].sensitivity
      count(
        'inputs within their stated sensitivity',
        stated && moved <= sensitivity,
        `${what}: moved ${moved} of ${sensitivity}`,
      )
    })
  } else if (kind === 'histogram') {
    const groupsPerContributor = 1 + dice.below(4)
    const groups = ['g0', 'g1', 'g2', 'g3', 'absent']
    const [before, after] = twice((data, random) => [
      histogramOfPublicGroups({ ...cost, rows: data, groups, groupsPerContributor, random }).groups,
      random.bytes,
    ])
    sameBytes(before, after)
    const moved = before[0].map(({ contributors }, index) =>
      magnitude(contributors - after[0][index].contributors),
    )
    const total = moved.reduce((sum, step) => sum + step, 0n)
    const holds = moved.every((step) => step <= 1n) && total <= BigInt(groupsPerContributor)
    count(
      'inputs within their stated sensitivity',
      holds,
      `${what}: moved ${total} of ${groupsPerContributor}`,
    )
  } else if (kind === 'quantile') {
    const candidates = Array.from({ length: 2 + dice.below(30) }, (_, index) => BigInt(index * 150 - 2_000))
    const question = {
      rowsPerContributor,
      candidates,
      quantile: { numerator: BigInt(1 + dice.below(9)), denominator: 10n },
    }
    const [before, after] = twice((data, random) => {
      noisyQuantile({ ...question, epsilon: cost.epsilon, rows: data, random })
      return [quantileScores({ ...question, rows: data }), random.bytes]
    })
    sameBytes(before, after)
    const limit = quantileSensitivity(question)
    const moved = before[0].map((score, index) => magnitude(score - after[0][index]))
    count(
      'inputs within their stated sensitivity',
      moved.every((step) => step <= limit),
      `${what}: limit ${limit}`,
    )
  } else {
    const vectorsOf = (data) =>
      [...new Set(data.map(({ contributor }) => contributor))].sort().map((name) => {
        const own = data.filter(({ contributor }) => contributor === name)
        return [0, 1, 2].map((at) => Number(own[at]?.value ?? 0n) / 7)
      })
    const clip = 1 + dice.below(100)
    const [before, after] = twice((data, random) => [
      noisyVectorSum({ vectors: vectorsOf(data), coordinates: 3, clip, noiseMultiplier: 1, random }).sum,
      random.bytes,
    ])
    sameBytes(before, after)
    const moved = Math.hypot(...before[0].map((value, index) => value - after[0][index]))
    count(
      'inputs within their stated sensitivity',
      moved <= clip * (1 + 1e-6),
      `${what}: moved ${moved} of ${clip}`,
    )
  }
}

const magnitude = (value) => (value < 0n ? -value : value)

function counting(number) {
  const inner = deterministicRandom(`noise ${number}`)
  const port = (length) => {
    port.bytes += length
    return inner(length)
  }
  port.bytes = 0
  return port
}

function dicesOf(name) {
  const random = deterministicRandom(name)
  return {
    below: (bound) => {
      const [a, b, c] = random(3)
      return Math.floor(((a * 65_536 + b * 256 + c) / 16_777_216) * bound)
    },
  }
}
