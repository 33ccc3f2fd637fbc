const digest = `sha256:${'0'.repeat(64)}`

/** A policy that is generous enough to repeat runs. */
export const policyOf = (name, other, table) => ({
  format: 'sealpool/pool-policy',
  version: 1,
  name,
  description: 'a benchmark',
  purposes: ['benchmark'],
  attestation: {},
  code: { poc: digest, refiner: digest, computations: [] },
  tables: [table],
  privacy: {
    accounting: 'basic',
    epsilon: 1_000,
    delta: 0,
    perJob: { epsilon: 1, delta: 0 },
    minimumContributors: 20,
    maximumGroups: 50,
  },
  joins: { allowed: true, with: [other] },
  economics: { price: '0', poolTokenBurn: '0' },
})
