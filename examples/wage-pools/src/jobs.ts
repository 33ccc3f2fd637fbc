import type { JobManifest } from '@sealpool/compute'
import { type Address, encodeBase64Url } from '@sealpool/crypto'
import type { DemoPool } from './stage/found-pools.js'

/** What a consumer asks for, before it becomes a manifest. */
export interface JobRequest {
  readonly key: string
  readonly title: string
  readonly pools: readonly ('pay' | 'people')[]
  readonly query?: string
  readonly parameters?: NonNullable<JobManifest['compute']>['parameters']
  readonly epsilon: number
  readonly delta: number
}

/** (a): one pool, SQL. */
export const wageByUnionAndSector: JobRequest = {
  key: 'a',
  title: 'Mean hourly wage by union membership and sector',
  pools: ['pay'],
  query:
    'SELECT union_member, sector, avg(wage) AS mean_wage, count(*) AS workers FROM pay.workers GROUP BY union_member, sector ORDER BY union_member, sector',
  epsilon: 2,
  delta: 0,
}

/** (b): both pools joined by wallet, SQL. */
export const wageByGenderAndEducation: JobRequest = {
  key: 'b',
  title: 'Mean hourly wage by gender and education',
  pools: ['pay', 'people'],
  query: `SELECT gender,
       CASE WHEN education < 12 THEN 'under 12 years' WHEN education = 12 THEN '12 years'
            WHEN education < 16 THEN '13 to 15 years' ELSE '16 years and more' END AS education_band,
       avg(wage) AS mean_wage, count(*) AS workers
FROM pay.workers JOIN people.persons USING (contributor)
GROUP BY gender, education_band`,
  epsilon: 2,
  delta: 0,
}

/** (c): both pools, a computation: the textbook wage equation. */
export const wageEquation: JobRequest = {
  key: 'c',
  title: 'Wage equation: log wage on education, experience, gender, union',
  pools: ['pay', 'people'],
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
        name: 'union_member',
        pool: 'pay',
        table: 'workers',
        column: 'union_member',
        transform: 'indicator',
        equals: true,
      },
    ],
  },
  epsilon: 2,
  delta: 2.5e-7,
}

/** A manifest: everything that members vote on and the node runs, digest and all. */
export function manifestOf(options: {
  readonly request: JobRequest
  readonly pools: { readonly pay: DemoPool; readonly people: DemoPool }
  readonly consumer: Address
  readonly resultPublicKey: Uint8Array
  readonly salt: string
}): JobManifest {
  const { request, pools } = options
  return {
    format: 'sealpool/job-manifest',
    version: 1,
    kind: request.query === undefined ? 'compute' : 'query',
    title: request.title,
    pools: request.pools.map((name) => ({
      address: pools[name].contracts.pool.toLowerCase() as Address,
      name,
    })),
    query: request.query === undefined ? null : { sql: request.query },
    compute:
      request.parameters === undefined
        ? null
        : { computation: 'linear-regression', parameters: request.parameters },
    privacy: { epsilon: request.epsilon, delta: request.delta },
    consumer: {
      address: options.consumer.toLowerCase() as Address,
      resultKey: { kem: 'x25519', publicKey: encodeBase64Url(options.resultPublicKey) },
    },
    purpose: 'research',
    salt: options.salt,
  }
}
