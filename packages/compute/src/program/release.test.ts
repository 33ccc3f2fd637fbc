import { expect, test } from 'vitest'
import { programPlan } from '../testing/program-job.js'
import { releasedNumbers } from './release.js'

const parameters = 'compute.parameters'
const plan = programPlan({
  policy: { 'privacy.minimumContributors': 1 },
  manifest: {
    [`${parameters}.split`]: { kind: 'contributors', atMost: 100 },
    [`${parameters}.tables`]: [{ table: 'workers', columns: ['wage'], rows: 1 }],
    [`${parameters}.outputs`]: [{ name: 'wage', min: -20, max: 20 }],
  },
})
const { steps, answerSteps } = plan.mechanism

test.each([1, 2, 3, 6])(
  'an interval of %d digits holds the whole one, and is no more than a digit wider',
  (digits) => {
    for (let share = -19; share <= 19; share++) {
      const noisy = [BigInt(Math.round((steps * 80 * share) / 20)), BigInt(answerSteps * 80)]
      const [exact, told] = [null, digits].map(
        (significantDigits) => releasedNumbers({ ...plan, significantDigits }, noisy).outputs[0],
      )
      if (exact === undefined || told === undefined) throw new Error('there is one output')
      expect(told.low).toBeLessThanOrEqual(exact.low)
      expect(told.high).toBeGreaterThanOrEqual(exact.high)
      for (const [one, other] of [
        [exact.low, told.low],
        [told.high, exact.high],
      ] as const) {
        expect(one - other).toBeLessThanOrEqual(10 ** (Math.floor(Math.log10(Math.abs(one))) - digits + 2))
      }
      for (const number of [told.value, told.low, told.high])
        expect(number).toBe(Number(number.toPrecision(digits)))
    }
  },
)

test('what noise carries past a range, or past all runs, is told as the end', () => {
  const noisy = [BigInt(steps) * 1_000n, BigInt(answerSteps) * 500n]
  const { outputs, answered } = releasedNumbers(plan, noisy)
  expect(outputs[0]).toMatchObject({ value: 20, high: 20 })
  expect(answered).toMatchObject({ value: 100, high: 100 })
})
