import type { PoolPolicy } from '@sealpool/privacy'
import type { PlanPool } from '../catalogue/catalogue.js'

const digest = `sha256:${'0'.repeat(64)}` as const

/** A policy with the given tables and otherwise plain rules. */
export function testPolicy(
  name: string,
  tables: PoolPolicy['tables'],
  changes: Partial<Pick<PoolPolicy, 'privacy' | 'joins'>> = {},
): PoolPolicy {
  return {
    format: 'sealpool/pool-policy',
    version: 1,
    name,
    description: 'test',
    purposes: ['test'],
    attestation: {},
    code: { poc: digest, refiner: digest, computations: [] },
    tables,
    privacy: {
      accounting: 'basic',
      epsilon: 6,
      delta: 1e-6,
      perJob: { epsilon: 2, delta: 1e-6 },
      minimumContributors: 1,
      maximumGroups: 200,
    },
    joins: { allowed: true, with: ['pay', 'people', 'trips'].filter((other) => other !== name) },
    economics: { price: '1', poolTokenBurn: '1' },
    ...changes,
  }
}

/** Privacy rules under which noise is practically zero: for comparing with exact answers only. */
export const noiselessRules: PoolPolicy['privacy'] = {
  accounting: 'basic',
  epsilon: 1e6,
  delta: 0,
  perJob: { epsilon: 1e6, delta: 0 },
  minimumContributors: 1,
  maximumGroups: 1000,
}

export const workers: PoolPolicy['tables'][number] = {
  name: 'workers',
  rowsPerContributor: 1,
  columns: [
    { name: 'wage', type: 'decimal', decimals: 2, min: 0, max: 50, nullable: false, use: ['measure'] },
    { name: 'bonus', type: 'integer', min: -100, max: 300, nullable: true, use: ['measure', 'filter'] },
    {
      name: 'union_member',
      type: 'boolean',
      values: [false, true],
      nullable: false,
      use: ['group', 'filter'],
    },
    {
      name: 'sector',
      type: 'text',
      values: ['other', 'manufacturing', "o'clock"],
      nullable: true,
      use: ['group', 'filter'],
    },
    { name: 'note', type: 'text', nullable: true, use: [] },
    { name: 'town', type: 'text', open: true, nullable: true, use: ['group'] },
  ],
}

export const persons: PoolPolicy['tables'][number] = {
  name: 'persons',
  rowsPerContributor: 1,
  columns: [
    { name: 'education', type: 'integer', min: 0, max: 20, nullable: false, use: ['measure', 'filter'] },
    { name: 'gender', type: 'text', values: ['female', 'male'], nullable: false, use: ['group', 'filter'] },
  ],
}

export const rides: PoolPolicy['tables'][number] = {
  name: 'rides',
  rowsPerContributor: 3,
  columns: [
    {
      name: 'miles',
      type: 'decimal',
      decimals: 1,
      min: 0,
      max: 20,
      nullable: true,
      use: ['measure', 'filter'],
    },
    { name: 'zone', type: 'integer', values: [1, 2, 3], nullable: false, use: ['group', 'filter'] },
  ],
}

const address = (digit: string): string => `0x${digit.repeat(40)}`

/** Three pools: one row for each contributor in `pay` and `people`, up to three in `trips`. */
export function testPools(changes: Parameters<typeof testPolicy>[2] = {}): readonly PlanPool[] {
  return [
    { name: 'pay', address: address('1'), policy: testPolicy('pay', [workers], changes) },
    { name: 'people', address: address('2'), policy: testPolicy('people', [persons], changes) },
    { name: 'trips', address: address('3'), policy: testPolicy('trips', [rides], changes) },
  ]
}
