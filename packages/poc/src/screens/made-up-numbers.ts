import type { Screen } from '../define/screen.js'
import { ramp } from './ramp.js'

/** Values of a series that are looked at, from its beginning: what is looked at must lie side by side. */
const MOST_VALUES = 2000
const LEAST_VALUES = 40
/** Steps that a pattern has. */
const RUN = 4
/** Values from which on a flat distribution can be told from a bell. */
const LEAST_FOR_FLAT = 100

/**
 * Screens series of numbers for having been made by hand or by a few lines of code: steps that are all of one size, runs of steps that come
 * again more often than their steps would by chance (blocks that were copied, with another level too; values put in between others), and
 * numbers drawn evenly between two ends, each without regard to the one before.
 *
 * What it cannot do: see numbers drawn from a bell or from anybody's own model, or real ones that were changed a little (that is what
 * uniqueness is for). Counters, row numbers, meter readings and times rise evenly by themselves: give it none of them. See the README for how often.
 *
 * @param options `series`: columns of the value by name, in the order of their time
 * @returns a screen; null where no series has 40 numbers that tell anything
 */
export function madeUpNumbers<Value>(options: {
  readonly series: (value: Value) => Readonly<Record<string, readonly number[]>>
}): Screen<Value> {
  return (value) => {
    let worst: { suspicion: number; place: string } | null = null
    for (const [place, series] of Object.entries(options.series(value))) {
      const suspicion = suspicionOf(series.filter((one) => Number.isFinite(one)).slice(0, MOST_VALUES))
      if (suspicion !== null && (worst === null || suspicion > worst.suspicion)) worst = { suspicion, place }
    }
    return worst
  }
}

function suspicionOf(values: readonly number[]): number | null {
  let low = Infinity
  let high = -Infinity
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (values.length < LEAST_VALUES || !(high > low) || high - low === Infinity) return null
  // In millionths of the range: sums of decimals are not exact.
  const steps = values
    .slice(1)
    .map((value, at) => Math.round(((value - (values[at] ?? 0)) / (high - low)) * 1e6))
  const repeated = repeatedRuns(steps)
  return Math.max(
    ramp(evenSteps(steps), 0.4, 0.6),
    repeated === null ? 0 : ramp(repeated, 0.15, 0.35),
    flatness(values, low, high),
  )
}

/** Share of steps that are, to a fiftieth, as large as the middle one; 0 where that is no step at all. */
function evenSteps(steps: readonly number[]): number {
  const sorted = [...steps].sort((a, b) => a - b)
  const middle = sorted[sorted.length >> 1] ?? 0
  if (middle === 0) return 0
  return steps.filter((step) => Math.abs(step - middle) <= Math.abs(middle) / 50).length / steps.length
}

/** By how much more runs of steps come again than their steps would if they were shuffled; null where chance alone explains half of it. */
function repeatedRuns(steps: readonly number[]): number | null {
  const counts = new Map<number, number>()
  for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1)
  let same = 0
  for (const count of counts.values()) same += (count / steps.length) * (count / steps.length)
  const runs: string[] = []
  for (let at = RUN; at <= steps.length; at++) {
    const run = steps.slice(at - RUN, at)
    // Where nothing moves (nights) nothing is told.
    if (run.some((step) => step !== 0)) runs.push(run.join())
  }
  if (runs.length < LEAST_VALUES / 2) return null
  const seen = new Map<string, number>()
  for (const run of runs) seen.set(run, (seen.get(run) ?? 0) + 1)
  const share = runs.filter((run) => (seen.get(run) ?? 0) > 1).length / runs.length
  const other = 1 - same * same * same * same
  let none = 1
  for (let at = 1; at < runs.length; at++) none *= other
  const chance = 1 - none
  return chance > 0.5 ? null : (share - chance) / (1 - chance)
}

/** How near the values are to being spread evenly over their range, and to knowing nothing of the value before. */
function flatness(values: readonly number[], low: number, high: number): number {
  const count = values.length
  if (count < LEAST_FOR_FLAT) return 0
  const sorted = [...values].sort((a, b) => a - b)
  // Few different numbers (ratings, hours) are flat or not by what they are.
  if (new Set(sorted).size < count / 4) return 0
  let farthest = 0
  for (const [at, value] of sorted.entries()) {
    const even = (value - low) / (high - low)
    farthest = Math.max(farthest, (at + 1) / count - even, even - at / count)
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  let own = 0
  let next = 0
  for (const [at, value] of values.entries()) {
    own += (value - mean) * (value - mean)
    if (at > 0) next += (value - mean) * ((values[at - 1] ?? 0) - mean)
  }
  return Math.min(ramp(farthest * Math.sqrt(count), 1.1, 0.8), ramp(Math.abs(next / own), 0.35, 0.25))
}
