import type { AttestationPolicy } from '@sealpool/attest'
import type { PoolPolicy } from '@sealpool/privacy'

/** What one pool gives away in its whole life, and what one job may take of it. */
const privacy: PoolPolicy['privacy'] = {
  accounting: 'basic',
  epsilon: 6,
  delta: 1e-6,
  perJob: { epsilon: 2, delta: 2.5e-7 },
  minimumContributors: 10,
  maximumGroups: 64,
}

const economics: PoolPolicy['economics'] = {
  price: '50000000000000000000',
  poolTokenBurn: '25000000000000000000',
}

interface PolicyParts {
  readonly attestation: AttestationPolicy
  readonly poc: `sha256:${string}`
  readonly refiner: `sha256:${string}`
}

/** The pool of payroll exports. Clamps are public knowledge of 1985: hardly any hourly wage was above 30 dollars. */
export function payPolicy(parts: PolicyParts): PoolPolicy {
  return {
    format: 'sealpool/pool-policy',
    version: 1,
    name: 'pay',
    description: 'Hourly wages of workers, from signed payroll exports.',
    purposes: ['research'],
    attestation: { ...parts.attestation },
    code: { poc: parts.poc, refiner: parts.refiner, computations: ['linear-regression'] },
    tables: [
      {
        name: 'workers',
        rowsPerContributor: 1,
        columns: [
          {
            name: 'wage',
            type: 'decimal',
            decimals: 2,
            min: 1,
            max: 30,
            nullable: false,
            use: ['measure', 'filter'],
          },
          {
            name: 'union_member',
            type: 'boolean',
            values: [false, true],
            nullable: false,
            use: ['group', 'filter'],
          },
          {
            name: 'occupation',
            type: 'text',
            values: ['clerical', 'management', 'other', 'professional', 'sales', 'service'],
            nullable: false,
            use: ['group', 'filter'],
          },
          {
            name: 'sector',
            type: 'text',
            values: ['construction', 'manufacturing', 'other'],
            nullable: false,
            use: ['group', 'filter'],
          },
        ],
      },
    ],
    privacy,
    joins: { allowed: true, with: ['people'] },
    economics,
  }
}

/** The pool of survey answers. */
export function peoplePolicy(parts: PolicyParts): PoolPolicy {
  return {
    format: 'sealpool/pool-policy',
    version: 1,
    name: 'people',
    description: 'Education, experience and circumstances of the same workers, from survey answers.',
    purposes: ['research'],
    attestation: { ...parts.attestation },
    code: { poc: parts.poc, refiner: parts.refiner, computations: ['linear-regression'] },
    tables: [
      {
        name: 'persons',
        rowsPerContributor: 1,
        columns: [
          {
            name: 'education',
            type: 'integer',
            min: 2,
            max: 18,
            nullable: false,
            use: ['measure', 'filter', 'group'],
          },
          {
            name: 'experience',
            type: 'integer',
            min: 0,
            max: 55,
            nullable: false,
            use: ['measure', 'filter'],
          },
          { name: 'age', type: 'integer', min: 16, max: 70, nullable: false, use: ['measure', 'filter'] },
          {
            name: 'gender',
            type: 'text',
            values: ['female', 'male'],
            nullable: false,
            use: ['group', 'filter'],
          },
          {
            name: 'race',
            type: 'text',
            values: ['hispanic', 'other', 'white'],
            nullable: false,
            use: ['group', 'filter'],
          },
          {
            name: 'married',
            type: 'boolean',
            values: [false, true],
            nullable: false,
            use: ['group', 'filter'],
          },
          {
            name: 'south',
            type: 'boolean',
            values: [false, true],
            nullable: false,
            use: ['group', 'filter'],
          },
        ],
      },
    ],
    privacy,
    joins: { allowed: true, with: ['pay'] },
    economics,
  }
}
