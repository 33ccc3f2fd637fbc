/**
 * The policy of the devnet's pool: one table of made-up wages, and a budget that is far too large for real people.
 * @module
 */
import { type AttestationPolicy, defaultAttestationPolicy } from '@sealpool/attest'
import type { Digest, JsonObject } from '@sealpool/crypto'
import type { SimulatedPlatform } from '../evidence/simulator-quote-provider.js'

/**
 * @param platform the simulator, whose evidence the policy names
 * @param name of the pool; SQL names its tables by it
 * @param code digests of the approved code
 * @returns the policy
 */
export function samplePolicy(
  platform: SimulatedPlatform,
  name: string,
  code: { readonly poc: Digest; readonly refiner: Digest },
): JsonObject {
  const attestation: AttestationPolicy = {
    ...defaultAttestationPolicy,
    roots: [platform.rootDigest],
    allowSimulator: true,
    measurements: [{ name: 'devnet node (SIMULATED)', mrTd: platform.mrTd }],
  }
  return {
    format: 'sealpool/pool-policy',
    version: 1,
    name,
    description: 'Made-up payslips on a chain of one machine. SIMULATED: nothing here protects anybody.',
    purposes: ['research'],
    attestation: attestation as unknown as JsonObject,
    code: { ...code, computations: ['program'], programs: 'voted' },
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
            max: 100,
            nullable: false,
            use: ['measure'],
          },
          {
            name: 'sector',
            type: 'text',
            values: ['care', 'trade'],
            nullable: false,
            use: ['group', 'filter'],
          },
        ],
      },
    ],
    privacy: {
      accounting: 'basic',
      epsilon: 100,
      delta: 0,
      perJob: { epsilon: 20, delta: 0 },
      minimumContributors: 3,
      maximumGroups: 10,
    },
    joins: { allowed: false, with: [] },
    economics: { price: '0', poolTokenBurn: '0' },
  }
}
