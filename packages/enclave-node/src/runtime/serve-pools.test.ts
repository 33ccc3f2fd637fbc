import { digestOf, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { describe, expect, it } from 'vitest'
import type { ChainPort } from '../chain/chain-port.js'
import { parseNodeConfig } from '../config/node-config.js'
import { addressOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { settingsWith } from '../testing/settings.js'
import { serveEarlier } from './serve-earlier.js'
import { servePools } from './serve-pools.js'

const code = 'globalThis.sealpool = {}'
const accepted = { code, digest: sha256Digest(new TextEncoder().encode(code)) }
const policy = {
  ...(JSON.parse(JSON.stringify(servedPoolFixture().policy)) as Record<string, JsonValue>),
  attestation: {
    format: 'sealpool/attestation-policy',
    version: 1,
    roots: ['intel'],
    allowSimulator: false,
    acceptedTcbStatuses: ['UpToDate'],
    acceptedAdvisories: [],
    measurements: [],
    allowDebug: false,
    maximumAgeSeconds: 86_400,
  },
  code: { poc: accepted.digest, refiner: accepted.digest, computations: [] },
} as JsonValue
const columns = {
  wage: { type: 'decimal', decimals: 2, description: 'w' },
  sector: { type: 'text', description: 's' },
}
const schema = {
  id: 'x',
  version: '1.0.0',
  source: 'json',
  tables: { workers: { description: 'Workers.', columns } },
  notes: [],
}
const chain = {
  chainId: 31_337,
  pool: async () => ({
    policyDigest: digestOf(policy),
    pocDigest: accepted.digest,
    refinerDigest: accepted.digest,
  }),
} as unknown as Pick<ChainPort, 'chainId' | 'pool'>
const serve = async (rules: object) => {
  const pool = {
    address: addressOfDigit('a'),
    policy,
    poc: accepted,
    refiner: { ...accepted, schema },
    ...rules,
  }
  const served = await servePools(chain, parseNodeConfig(settingsWith({ pools: [pool] })).pools)
  return served.get(addressOfDigit('a'))
}
const keywords = { table: 'workers', column: 'sector', epsilon: 0.5, delta: 1e-8 }

it('a pool is served with the rules of its settings', async () => {
  expect(await serve({})).toMatchObject({ accountRule: 'first-wallet', farming: null, facts: null })
  const facts = { epsilon: 1, keywords }
  expect(await serve({ farming: { identityCap: 3 }, facts, accountRule: 'merge' })).toMatchObject({
    accountRule: 'merge',
    farming: { identityCap: 3 },
    facts,
  })
})

it.each([
  ['cost more than one job may', { epsilon: 2.5 }],
  ['cost more with their keywords', { epsilon: 1.6, keywords }],
  ['take words of a number', { epsilon: 1, keywords: { ...keywords, column: 'wage' } }],
  ['have too little for each word', { epsilon: 1, keywords: { ...keywords, epsilon: 0.003 } }],
  ['take words of no table', { epsilon: 1, keywords: { ...keywords, table: 'others' } }],
])('facts that %s are refused at the start', async (_, facts) => {
  await expect(serve({ facts })).rejects.toMatchObject({
    code: 'CONFIG_POOL_MISMATCH',
    place: `pools ${addressOfDigit('a')} facts`,
  })
})

it('a refiner that asks for embeddings is not served: no model is measured with the node', async () => {
  const embedding = { from: 'sector', model: `sha256:${'0'.repeat(64)}`, dimensions: 8 }
  const vector = { type: 'vector', description: 'v', embedding }
  const asking = {
    ...schema,
    tables: { workers: { description: 'Workers.', columns: { ...columns, vector } } },
  }
  await expect(serve({ refiner: { ...accepted, schema: asking } })).rejects.toMatchObject({
    code: 'CONFIG_POOL_MISMATCH',
    place: `pools ${addressOfDigit('a')} refiner`,
  })
})

it('a policy whose access rules this release does not understand is not served', async () => {
  const wallets = [addressOfDigit('e')]
  const served = (access: JsonValue) => {
    const ruled = { ...(policy as Record<string, JsonValue>), access }
    const shown = {
      ...chain,
      pool: async () => ({ ...(await chain.pool(addressOfDigit('a'))), policyDigest: digestOf(ruled) }),
    }
    const one = {
      address: addressOfDigit('a'),
      policy: ruled,
      poc: accepted,
      refiner: { ...accepted, schema },
    }
    return servePools(shown as typeof chain, parseNodeConfig(settingsWith({ pools: [one] })).pools)
  }
  await expect(served({ version: 1, use: { wallets } })).resolves.toHaveProperty('size', 1)
  await expect(served({ version: 2, use: { wallets } })).rejects.toMatchObject({
    code: 'CONFIG_POOL_MISMATCH',
    place: `pools ${addressOfDigit('a')} access.version`,
  })
  await expect(served({ version: 1, use: { members: wallets } })).rejects.toMatchObject({
    place: `pools ${addressOfDigit('a')} access.use`,
  })
})

describe('what an earlier proof accepted', () => {
  const earlierProof = sha256Digest(Uint8Array.of(1))
  const older = (code: object, more: object = {}) =>
    ({
      ...(policy as Record<string, JsonValue>),
      code: { ...(policy as { code: object }).code, poc: earlierProof, ...code },
      ...more,
    }) as unknown as Record<string, JsonValue>
  const allowed = older({ rescoring: 'voted' })

  it('is judged again under policies that allow the present proof, by word or by digest', async () => {
    const listed = older({ rescoring: [accepted.digest] })
    const served = await serve({ rescoring: { earlier: [allowed, listed], share: 0.2, rule: 'difference' } })
    expect(served?.rescoring).toEqual({
      earlier: [allowed, listed].map((one) => ({ policyDigest: digestOf(one), poc: earlierProof })),
      share: 0.2,
      rule: 'difference',
    })
    expect((await serve({}))?.rescoring).toBeNull()
  })

  it.each<[string, object, string]>([
    ['says nothing of it', { earlier: [older({})] }, '.earlier.0.code.rescoring'],
    [
      'names other proofs',
      { earlier: [allowed, older({ rescoring: [earlierProof] })] },
      '.earlier.1.code.rescoring',
    ],
    ['is the present one', { earlier: [policy] }, '.earlier.0'],
    ['stands there twice', { earlier: [allowed, allowed] }, '.earlier.1'],
    ['had the same proof', { earlier: [older({ poc: accepted.digest, rescoring: 'voted' })] }, '.earlier.0'],
    [
      'let other machines open what is sealed',
      { earlier: [older({ rescoring: 'voted' }, { attestation: { roots: ['amd'] } })] },
      '.earlier.0.attestation',
    ],
  ])('is not where the policy %s', async (_, rescoring, place) => {
    await expect(serve({ rescoring })).rejects.toMatchObject({
      code: 'CONFIG_POOL_MISMATCH',
      place: `pools ${addressOfDigit('a')} rescoring${place}`,
    })
  })

  it('is not where the policy is none', async () => {
    await expect(serve({ rescoring: { earlier: [{ name: 'x' }] } })).rejects.toMatchObject({
      code: 'POLICY_INVALID',
    })
  })

  it('is held against the present policy by a validator as well, which says where its settings list it', () => {
    const asked = (earlier: readonly Record<string, unknown>[]) =>
      serveEarlier(addressOfDigit('a'), parsePoolPolicy(policy), {
        rescoring: { earlier: earlier as Record<string, JsonValue>[] },
        policy: policy as Record<string, JsonValue>,
        place: 'validates.pools',
      })
    expect(asked([allowed])).toEqual([{ policyDigest: digestOf(allowed), poc: earlierProof }])
    expect(() => asked([older({})])).toThrow(
      expect.objectContaining({
        place: `validates.pools ${addressOfDigit('a')} rescoring.earlier.0.code.rescoring`,
      }),
    )
  })
})
