import type { JsonValue } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { programPlan } from '../testing/program-job.js'
import type { ProgramPlan } from './plan-program.js'
import type { ProgramRow, ProgramRows } from './program-input.js'
import { exactAnswers } from './run-program.js'

const parameters = 'compute.parameters'
const ranges = [
  { name: 'wage', min: 0, max: 20 },
  { name: 'visits', min: -1, max: 3 },
  { name: 'tiny', min: 1, max: 1 + 2 ** -50 },
]

/** Small caps and few blocks, so that the cap is reached and blocks are shared in most cases. */
function planOf(
  split:
    | { readonly kind: 'contributors'; readonly atMost: number }
    | { readonly kind: 'blocks'; readonly blocks: number },
  delta: number,
  outputs: number,
  minimumContributors = 1,
): ProgramPlan {
  return programPlan({
    policy: { 'privacy.minimumContributors': minimumContributors },
    manifest: {
      'privacy.delta': delta,
      [`${parameters}.split`]: split,
      [`${parameters}.outputs`]: ranges.slice(0, outputs),
    },
  })
}

const plans = [2.5e-7, 0].flatMap((delta) =>
  [1, 3].flatMap((outputs) => [
    planOf({ kind: 'contributors', atMost: 1 }, delta, outputs),
    planOf({ kind: 'contributors', atMost: 4 }, delta, outputs),
    planOf({ kind: 'contributors', atMost: 100 }, delta, outputs),
    planOf({ kind: 'blocks', blocks: 2 }, delta, outputs),
    planOf({ kind: 'blocks', blocks: 5 }, delta, outputs),
    planOf({ kind: 'blocks', blocks: 3 }, delta, outputs, 4),
  ]),
)

/** A contributor's rows; who he is follows from his place in the list. */
const personArbitrary = fc.record({
  wage: fc.oneof(fc.double(), fc.constantFrom<unknown>('12.5', null, true, undefined)),
  visits: fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 5 }),
})
type Person = typeof personArbitrary extends fc.Arbitrary<infer Value> ? Value : never

function rowsOf(people: readonly (readonly [string, Person])[]): ProgramRows {
  return {
    workers: people.map(
      ([contributor, { wage }]): ProgramRow => ({
        contributor,
        rank: 1,
        values: { wage, union_member: true },
      }),
    ),
    visits: people.flatMap(([contributor, { visits }]) =>
      visits.map(
        (length, index): ProgramRow => ({ contributor, rank: index + 1, values: { length, day: null } }),
      ),
    ),
  }
}

const number = fc.oneof(
  { arbitrary: fc.constantFrom(-1e308, 1e308), weight: 4 },
  { arbitrary: fc.double(), weight: 1 },
  { arbitrary: fc.constantFrom(0, -0, 20, 3, 1, Number.MIN_VALUE), weight: 1 },
)
/** Whatever a program might give: mostly something that counts, at the ends of its ranges and far past them. */
const hostileAnswer = fc.oneof(
  {
    arbitrary: fc.record({ wage: number, visits: number, tiny: number }),
    weight: 6,
  },
  { arbitrary: fc.constant(null), weight: 1 },
  { arbitrary: fc.anything(), weight: 1 },
)

/** Only the outputs of the plan, where the answer has them all. */
function cut(answer: unknown, plan: ProgramPlan): JsonValue {
  if (typeof answer !== 'object' || answer === null || !Object.hasOwn(answer, 'tiny'))
    return answer as JsonValue
  return Object.fromEntries(Object.entries(answer).slice(0, plan.outputs.length))
}

function distance(plan: ProgramPlan, before: readonly bigint[], after: readonly bigint[]): bigint {
  const moves = after.map((sum, index) => sum - (before[index] ?? 0n))
  return plan.mechanism.kind === 'gaussian'
    ? moves.reduce((sum, move) => sum + move * move, 0n)
    : moves.reduce((sum, move) => sum + (move < 0n ? -move : move), 0n)
}

describe('one contributor more or less', () => {
  test('moves the integers by no more than the noise is made for, whatever program and data are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...plans),
        fc.array(personArbitrary, { maxLength: 9 }),
        personArbitrary,
        fc.func(hostileAnswer),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        async (plan, people, newcomer, program, order) => {
          // A program is any function of its input's text.
          const run = async (input: JsonValue) => cut(program(JSON.stringify(input)), plan)
          const named = people.map((person, index) => [`person-${index}`, person] as const)
          const without = await exactAnswers({ plan, rows: rowsOf(named), order, run })
          const joined = rowsOf([['newcomer', newcomer], ...named])
          const moved = distance(plan, without, await exactAnswers({ plan, rows: joined, order, run }))
          expect(moved).toBeLessThanOrEqual(BigInt(plan.mechanism.sensitivity))
        },
      ),
      { numRuns: 600 },
    )
  })

  test.each(plans.map((plan) => [plan.split.kind, plan.mechanism.kind, plan.outputs.length, plan] as const))(
    'may move them by all of it: %s, %s, %i outputs',
    async (_, __, ___, plan) => {
      // A program that knows the newcomer, and says the one end with him and the other without.
      const run = async (input: JsonValue): Promise<JsonValue> => {
        const end = JSON.stringify(input).includes('77') ? 1e9 : -1e9
        return Object.fromEntries(plan.outputs.map(({ name }) => [name, end]))
      }
      const person = { wage: 5, visits: [] }
      const people = Array.from({ length: 40 }, (_item, index) => [`person-${index}`, person] as const)
      let largest = 0
      for (let seed = 0; seed < 40 && largest < 0.999_999; seed++) {
        const order = new Uint8Array(32).fill(seed)
        const before = await exactAnswers({ plan, rows: rowsOf(people), order, run })
        const newcomer: readonly [string, Person] = [`newcomer-${seed}`, { wage: 77, visits: [] }]
        const after = await exactAnswers({ plan, rows: rowsOf([...people, newcomer]), order, run })
        largest = Math.max(
          largest,
          Number(distance(plan, before, after)) / Number(plan.mechanism.sensitivity),
        )
      }
      expect(largest).toBeGreaterThan(0.999_999)
      expect(largest).toBeLessThanOrEqual(1)
    },
  )
})
