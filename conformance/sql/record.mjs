// Record and replay after dp-recorder (arXiv 2602.17454): the exact numbers that reach each noise primitive, on a data
// set and on its neighbour, may differ by no more than the plan states. Nothing is sampled, so nothing is left to chance.
import { executePlan, releasesOf } from '@sealpool/query'

/** Runs a plan and keeps what the engine was asked and what it answered. */
export async function record(plan, engine, random) {
  const asked = []
  const answers = []
  const watched = {
    ...engine,
    query: async (sql, expectation) => {
      asked.push(sql)
      const rows = await engine.query(sql, expectation)
      answers.push(rows)
      return rows
    },
  }
  try {
    const result = await executePlan({ plan, engine: watched, random })
    return { asked, answers, result, error: null }
  } catch (error) {
    return { asked, answers, result: null, error: error.code ?? String(error) }
  }
}

const size = (value) => (value < 0n ? -value : value)

/** Sum over groups of how far each integer column moved. */
function moved(before, after) {
  const keyOf = (row) => JSON.stringify(Object.entries(row).filter(([name]) => !name.startsWith('s')))
  const rest = new Map(after.map((row) => [keyOf(row), row]))
  const totals = {}
  const add = (left, right) => {
    for (const name of Object.keys(left ?? right).filter((entry) => entry.startsWith('s'))) {
      const distance = size(BigInt(left?.[name] ?? 0) - BigInt(right?.[name] ?? 0))
      totals[name] = (totals[name] ?? 0n) + distance
    }
  }
  for (const row of before) {
    add(row, rest.get(keyOf(row)))
    rest.delete(keyOf(row))
  }
  for (const row of rest.values()) add(undefined, row)
  return totals
}

/**
 * Compares two recordings of one plan.
 *
 * @returns what is wrong, or null; `primitives` is how many inputs were compared
 */
export function compareRecordings(plan, first, second) {
  if (first.error !== second.error) return { fault: 'errors differ', primitives: 0 }
  if (first.error !== null) return { fault: `failed: ${first.error}`, primitives: 0 }
  if (JSON.stringify(first.asked) !== JSON.stringify(second.asked)) {
    return { fault: 'the engine was asked differently', primitives: 0 }
  }
  for (const part of ['columns', 'charge', 'notes']) {
    if (JSON.stringify(first.result[part]) !== JSON.stringify(second.result[part])) {
      return { fault: `${part} differ`, primitives: 0 }
    }
  }
  let position = 0
  let primitives = 0
  for (const release of releasesOf(plan)) {
    const totals = release.statistics.map(() => 0n)
    for (const _ of release.sets) {
      const numbers = moved(first.answers[position], second.answers[position])
      position += 1
      release.program.statistics.forEach((statistic, index) => {
        if (statistic.kind !== 'bins') {
          totals[index] += numbers[`s${index}`] ?? 0n
          return
        }
        // A score moves by at most `step` for each row, and noise is made for twice that.
        const rows = moved(first.answers[position], second.answers[position]).s0 ?? 0n
        const quantile = release.aggregates.find((entry) => entry.kind === 'quantile' && entry.bins === index)
        const step = BigInt(Math.max(quantile.numerator, quantile.denominator - quantile.numerator))
        totals[index] += 2n * step * rows
        position += 1
      })
    }
    for (const [index, { sensitivity }] of release.statistics.entries()) {
      primitives += 1
      if (totals[index] > BigInt(sensitivity)) {
        return {
          fault: `statistic ${index} (${release.program.statistics[index].kind}) moved by ${totals[index]}, stated ${sensitivity}`,
          primitives,
        }
      }
    }
  }
  return { fault: null, primitives }
}
