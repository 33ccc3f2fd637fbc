import { type PoolPolicy, parsePoolPolicy } from '@sealpool/privacy'
import { planComputation, type RegressionPlan } from '../computation/plan.js'
import { type JobManifest, parseJobManifest } from '../job/manifest.js'

const digest = `sha256:${'0'.repeat(64)}`
const common = {
  format: 'sealpool/pool-policy',
  version: 1,
  purposes: ['research'],
  attestation: {},
  code: { poc: digest, refiner: digest, computations: ['linear-regression'] },
  privacy: {
    accounting: 'basic',
    epsilon: 6,
    delta: 1e-6,
    perJob: { epsilon: 2, delta: 2.5e-7 },
    minimumContributors: 10,
    maximumGroups: 64,
  },
  economics: { price: '1', poolTokenBurn: '1' },
}
const measure = { nullable: false, use: ['measure', 'filter'] }
const group = { nullable: false, use: ['group', 'filter'] }

/** Two small policies in the shape of the wage pools, as plain JSON to change in tests. */
export const policyJson = () => ({
  pay: {
    ...structuredClone(common),
    name: 'pay',
    description: 'Wages.',
    tables: [
      {
        name: 'workers',
        rowsPerContributor: 1,
        columns: [
          { name: 'wage', type: 'decimal', decimals: 2, min: 1, max: 30, ...measure },
          { name: 'union_member', type: 'boolean', values: [false, true], ...group },
          { name: 'secret', type: 'text', nullable: false, use: [] },
        ],
      },
    ],
    joins: { allowed: true, with: ['people'] },
  },
  people: {
    ...structuredClone(common),
    name: 'people',
    description: 'Survey answers.',
    tables: [
      {
        name: 'persons',
        rowsPerContributor: 1,
        columns: [
          { name: 'education', type: 'integer', min: 2, max: 18, ...measure },
          { name: 'experience', type: 'integer', min: 0, max: 55, ...measure },
          { name: 'gender', type: 'text', values: ['female', 'male'], ...group },
        ],
      },
      {
        name: 'visits',
        rowsPerContributor: 5,
        columns: [{ name: 'length', type: 'integer', min: 0, max: 10, ...measure }],
      },
    ],
    joins: { allowed: true, with: ['pay'] },
  },
})

/** The same, parsed. */
export const policies = (): PoolPolicy[] => Object.values(policyJson()).map(parsePoolPolicy)

/** The wage equation's manifest as plain JSON to change in tests. */
export const manifestJson = () => ({
  format: 'sealpool/job-manifest',
  version: 1,
  kind: 'compute',
  title: 'Wage equation',
  pools: [
    { address: `0x${'11'.repeat(20)}`, name: 'pay' },
    { address: `0x${'22'.repeat(20)}`, name: 'people' },
  ],
  query: null as null | { sql: string },
  compute: {
    computation: 'linear-regression',
    parameters: {
      target: { pool: 'pay', table: 'workers', column: 'wage', transform: 'log' },
      features: [
        { name: 'education', pool: 'people', table: 'persons', column: 'education', transform: 'identity' },
        { name: 'experience', pool: 'people', table: 'persons', column: 'experience', transform: 'identity' },
        {
          name: 'experience_squared',
          pool: 'people',
          table: 'persons',
          column: 'experience',
          transform: 'square',
        },
        {
          name: 'female',
          pool: 'people',
          table: 'persons',
          column: 'gender',
          transform: 'indicator',
          equals: 'female',
        },
        {
          name: 'union',
          pool: 'pay',
          table: 'workers',
          column: 'union_member',
          transform: 'indicator',
          equals: true,
        },
      ],
    },
  },
  privacy: { epsilon: 2, delta: 2.5e-7 },
  consumer: { address: `0x${'33'.repeat(20)}`, resultKey: { kem: 'x25519', publicKey: 'A'.repeat(43) } },
  purpose: 'research',
  salt: '0123456789abcdef',
})

/** The same, parsed. */
export const manifest = (): JobManifest => parseJobManifest(manifestJson())

/** The plan of a manifest of a regression; that of the wage equation when none is given. */
export function regressionPlan(given: JobManifest = manifest()): RegressionPlan {
  const plan = planComputation({ manifest: given, policies: policies() })
  if (plan.computation !== 'linear-regression') throw new Error('the manifest is of a regression')
  return plan
}

/** A copy of plain JSON with one place overwritten, or removed when the value is undefined. */
export function changed<T>(json: T, path: string, value: unknown): T {
  const copy = structuredClone(json)
  const keys = path.split('.')
  let at = copy as Record<string, unknown>
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>
  const last = keys.at(-1) ?? ''
  if (value === undefined) delete at[last]
  else at[last] = value
  return copy
}
