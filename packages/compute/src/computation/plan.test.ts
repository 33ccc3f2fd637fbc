import { canonicalize } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { describe, expect, test } from 'vitest'
import { parseJobManifest } from '../job/manifest.js'
import { changed, manifest, manifestJson, policies, policyJson, regressionPlan } from '../testing/wage-job.js'
import { computationDigest } from './digest.js'
import { planComputation, planJson } from './plan.js'

const parameters = 'compute.parameters'
const feature = (index: number, key: string) => `${parameters}.features.${index}.${key}`

describe('plan', () => {
  const plan = regressionPlan()

  test('names columns, charge for every pool, and ranges from the policies', () => {
    expect(plan.columns.map(({ key }) => key)).toEqual([
      'pay.workers.wage',
      'people.persons.education',
      'people.persons.experience',
      'people.persons.gender',
      'pay.workers.union_member',
    ])
    expect(Object.keys(plan.charge)).toEqual([`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`])
    for (const charge of Object.values(plan.charge))
      expect(charge).toMatchObject({ epsilon: 2, delta: 2.5e-7 })
    expect(plan.model.features[0]).toMatchObject({ min: 2, max: 18 })
    expect(plan.code).toBe(computationDigest('linear-regression'))
  })

  test('is canonical JSON and the same for the same job', () => {
    const again = planComputation({ manifest: manifest(), policies: policies().reverse() })
    expect(canonicalize(planJson(again))).toBe(canonicalize(planJson(plan)))
    expect(JSON.parse(canonicalize(planJson(plan)))).toEqual(plan)
  })

  test('takes all of the privacy and no more: shares add up to the whole', () => {
    expect(plan.mechanism.stages.reduce((sum, { share }) => sum + share, 0)).toBe(100)
    // rho of Gaussian noise calibrated analytically to (2, 2.5e-7): 1 / (2 * 2.364^2).
    expect(plan.charge[`0x${'11'.repeat(20)}`]?.zcdp?.rho).toBeCloseTo(0.08946, 4)
  })

  test('uses Laplace noise where delta is zero', () => {
    const pure = regressionPlan(parseJobManifest(changed(manifestJson(), 'privacy.delta', 0)))
    expect(pure.mechanism.kind).toBe('laplace')
    const spent = pure.mechanism.stages.reduce(
      (sum, { sensitivity, noise }) =>
        sum + (Number(sensitivity) * Number(noise.denominator)) / Number(noise.numerator),
      0,
    )
    expect(spent).toBeLessThanOrEqual(2 * (1 + 1e-12))
    expect(spent).toBeGreaterThan(1.999)
  })

  test('a narrower range from the manifest is taken', () => {
    const narrower = parseJobManifest(changed(manifestJson(), feature(0, 'min'), 6))
    expect(regressionPlan(narrower).model.features[0]).toMatchObject({
      min: 6,
      max: 18,
    })
  })
})

test.each([
  ['an unknown computation', 'compute.computation', 'magic', 'COMPUTATION_UNKNOWN', 'compute.computation'],
  [
    'a computation named like an object member',
    'compute.computation',
    'constructor',
    'COMPUTATION_UNKNOWN',
    'compute.computation',
  ],
  ['a purpose that pools do not accept', 'purpose', 'marketing', 'NOT_ALLOWED', 'purpose'],
  ['more epsilon than a job may take', 'privacy.epsilon', 2.1, 'BUDGET_PER_JOB_EXCEEDED', 'privacy.epsilon'],
  ['more delta than a job may take', 'privacy.delta', 3e-7, 'BUDGET_PER_JOB_EXCEEDED', 'privacy.delta'],
  ['a column with no use', feature(4, 'column'), 'secret', 'NOT_ALLOWED', `${parameters}.features[4].column`],
  [
    'a category as a number',
    `${parameters}.target.column`,
    'union_member',
    'NOT_ALLOWED',
    `${parameters}.target.column`,
  ],
  [
    'a table with many rows each',
    feature(0, 'table'),
    'visits',
    'NOT_ALLOWED',
    `${parameters}.features[0].table`,
  ],
  [
    'an unknown table',
    feature(0, 'table'),
    'nothing',
    'PARAMETERS_INVALID',
    `${parameters}.features[0].table`,
  ],
  [
    'an unknown column',
    feature(0, 'column'),
    'nothing',
    'PARAMETERS_INVALID',
    `${parameters}.features[0].column`,
  ],
  [
    'a pool that is not listed',
    feature(0, 'pool'),
    'other',
    'PARAMETERS_INVALID',
    `${parameters}.features[0].pool`,
  ],
  ['a range beyond the policy', feature(0, 'max'), 30, 'PARAMETERS_INVALID', `${parameters}.features[0].min`],
  ['an empty range', feature(0, 'min'), 18, 'PARAMETERS_INVALID', `${parameters}.features[0].min`],
  [
    'a category that is not public',
    feature(3, 'equals'),
    'other',
    'PARAMETERS_INVALID',
    `${parameters}.features[3].equals`,
  ],
  [
    'an indicator without category',
    feature(3, 'equals'),
    undefined,
    'PARAMETERS_INVALID',
    `${parameters}.features[3].equals`,
  ],
  ['a range of an indicator', feature(3, 'min'), 0, 'PARAMETERS_INVALID', `${parameters}.features[3].min`],
  [
    'a feature twice',
    feature(1, 'name'),
    'education',
    'PARAMETERS_INVALID',
    `${parameters}.features[1].name`,
  ],
  [
    'an intercept of its own',
    feature(1, 'name'),
    'intercept',
    'PARAMETERS_INVALID',
    `${parameters}.features[1].name`,
  ],
  ['an unknown parameter', `${parameters}.extra`, 1, 'PARAMETERS_INVALID', parameters],
  [
    'a log of a range that touches zero',
    `${parameters}.target`,
    { pool: 'people', table: 'persons', column: 'experience', transform: 'log' },
    'PARAMETERS_INVALID',
    `${parameters}.target.min`,
  ],
])('refuses %s', (_, path, value, code, place) => {
  const job = parseJobManifest(changed(manifestJson(), path, value))
  expect(() => planComputation({ manifest: job, policies: policies() })).toThrow(
    expect.objectContaining({ code, place }),
  )
})

test('refuses features that no data set could tell apart', () => {
  const json = manifestJson()
  const male = {
    name: 'male',
    pool: 'people',
    table: 'persons',
    column: 'gender',
    transform: 'indicator',
    equals: 'male',
  }
  const job = parseJobManifest(
    changed(json, `${parameters}.features`, [...json.compute.parameters.features, male]),
  )
  expect(() => planComputation({ manifest: job, policies: policies() })).toThrow(
    expect.objectContaining({ code: 'SINGULAR' }),
  )
})

test.each([
  ['a pool that does not accept the computation', 'code.computations', [], 'NOT_ALLOWED'],
  ['a table of which only some rows count', 'tables.0.rows', [{ column: 'wage', min: 5 }], 'NOT_ALLOWED'],
  ['a pool that does not join', 'joins', { allowed: false, with: [] }, 'NOT_ALLOWED'],
  ['a pool that joins with others only', 'joins', { allowed: true, with: ['other'] }, 'NOT_ALLOWED'],
])('refuses %s', (_, path, value, code) => {
  const { pay, people } = policyJson()
  const given = [parsePoolPolicy(changed(pay, path, value)), parsePoolPolicy(people)]
  expect(() => planComputation({ manifest: manifest(), policies: given })).toThrow(
    expect.objectContaining({ code }),
  )
})

test('keeps to the strictest output rule of its pools', () => {
  const planWith = (output: { pay: object; people: object }) => {
    const { pay, people } = policyJson()
    const given = [
      parsePoolPolicy({ ...pay, output: output.pay }),
      parsePoolPolicy({ ...people, output: output.people }),
    ]
    const plan = planComputation({ manifest: manifest(), policies: given })
    if (plan.computation !== 'linear-regression') throw new Error('the manifest is of a regression')
    return plan
  }
  expect(regressionPlan().significantDigits).toBeNull()
  expect(
    planWith({ pay: { significantDigits: 4 }, people: { significantDigits: 3 } }).significantDigits,
  ).toBe(3)
  const coefficients = manifestJson().compute.parameters.features.length + 1
  expect(planWith({ pay: { maximumRows: coefficients }, people: {} }).significantDigits).toBeNull()
  expect(() => planWith({ pay: {}, people: { maximumRows: coefficients - 1 } })).toThrow(
    expect.objectContaining({ code: 'NOT_ALLOWED', place: 'compute.parameters.features' }),
  )
})

test('refuses missing policies, idle pools and queries', () => {
  const [pay] = policies()
  expect(() => planComputation({ manifest: manifest(), policies: pay === undefined ? [] : [pay] })).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place: 'pools[1]' }),
  )
  const alone = changed(manifestJson(), `${parameters}.features`, [
    manifestJson().compute.parameters.features[4],
  ])
  expect(() => planComputation({ manifest: parseJobManifest(alone), policies: policies() })).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place: 'pools[1]' }),
  )
  const query = { ...manifestJson(), kind: 'query', query: { sql: 'select 1' }, compute: null }
  expect(() => planComputation({ manifest: parseJobManifest(query), policies: policies() })).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place: 'kind' }),
  )
})
