/**
 * A served pool without a chain, for tests of single steps.
 * @module
 */
import { type Address, type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import type { ServedPool } from '../ingest/served-pool.js'

/** Digest made of one repeated hex digit. */
export const digestOfDigit = (digit: string): Digest => `sha256:${digit.repeat(64)}`
/** Address made of one repeated hex digit. */
export const addressOfDigit = (digit: string): Address => `0x${digit.repeat(40)}`

/** A pool named `pay` with one table `workers(wage, sector)`. */
export function servedPoolFixture(address: Address = addressOfDigit('a')): ServedPool {
  const policy = {
    format: 'sealpool/pool-policy',
    version: 1,
    name: 'pay',
    description: 'Test pool.',
    purposes: ['research'],
    attestation: {},
    code: { poc: digestOfDigit('1'), refiner: digestOfDigit('2'), computations: [] },
    tables: [
      {
        name: 'workers',
        rowsPerContributor: 1,
        columns: [
          { name: 'wage', type: 'decimal', decimals: 2, min: 0, max: 100, nullable: false, use: ['measure'] },
          { name: 'sector', type: 'text', values: ['a', 'b'], nullable: false, use: ['group'] },
        ],
      },
    ],
    privacy: {
      accounting: 'basic',
      epsilon: 6,
      delta: 1e-6,
      perJob: { epsilon: 2, delta: 2.5e-7 },
      minimumContributors: 2,
      maximumGroups: 10,
    },
    joins: { allowed: false, with: [] },
    economics: { price: '1', poolTokenBurn: '0' },
  } as unknown as JsonValue
  return {
    address,
    name: 'pay',
    policy: parsePoolPolicy(policy),
    policyDigest: digestOf(policy),
    accountRule: 'first-wallet',
    farming: null,
    facts: null,
    auditShare: 0,
    verification: null,
    retention: null,
    validators: null,
    keep: 'escrow',
    consents: null,
    rescoring: null,
    poc: { code: '', digest: digestOfDigit('1') },
    refiner: {
      code: '',
      digest: digestOfDigit('2'),
      schema: { id: 'x', version: '1.0.0', source: 'json', tables: {}, notes: [] },
    },
    schemaId: digestOfDigit('3'),
    chainId: 31_337,
  }
}
