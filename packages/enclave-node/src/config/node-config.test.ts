import { defaultAttestationPolicy } from '@sealpool/attest'
import { DEFAULT_FARMING_RULE } from '@sealpool/poc'
import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { configDigest, parseNodeConfig } from './node-config.js'
import { parseSecrets } from './secrets.js'

const address = (digit: string): string => `0x${digit.repeat(40)}`
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
const pool = (digit: string) => ({
  address: address(digit),
  policy: { name: 'pay' },
  poc: { code: 'x', digest: digest('1') },
  refiner: { code: 'y', digest: digest('2'), schema: {} },
})
const settings = (change: object = {}): object => ({
  format: 'sealpool/node-config',
  version: 1,
  dataDirectory: '/data',
  chain: {
    rpcUrl: 'http://127.0.0.1:8545',
    deployment: {
      chainId: 31_337,
      protocolToken: address('1'),
      nodeRegistry: address('2'),
      dataRegistry: address('3'),
      jobBoard: address('4'),
      permissions: address('5'),
      contributionBatches: address('7'),
      approvals: address('8'),
      poolFactory: address('6'),
      blockNumber: 3,
    },
  },
  evidence: { provider: 'simulator' },
  keyRelease: { adapter: 'development' },
  blobStore: { kind: 'files', directory: '/blobs' },
  pools: [pool('a'), pool('b')],
  ...change,
})
const onChain = (change: object) => ({
  chain: { ...(settings() as { chain: object }).chain, ...change },
})
const refusal = (input: unknown): NodeError => {
  try {
    parseNodeConfig(input)
  } catch (error) {
    if (error instanceof NodeError) return error
  }
  throw new Error('it was accepted')
}

describe('settings', () => {
  it('name nodes of the catalogue only with rules by which they are attested', () => {
    const catalogue = { nodes: ['https://other.example'] }
    expect(refusal(settings({ catalogue }))).toMatchObject({ code: 'CONFIG_INVALID', place: 'peers' })
    const peers = { evidencePolicy: defaultAttestationPolicy }
    expect(parseNodeConfig(settings({ catalogue, peers })).catalogue).toEqual({
      ...catalogue,
      refreshSeconds: 60,
      maximumEntries: 20_000,
    })
    // Whom a node lists decides nothing over data.
    expect(configDigest(parseNodeConfig(settings({ catalogue, peers })))).toBe(
      configDigest(parseNodeConfig(settings({ peers }))),
    )
    expect(refusal(settings({ catalogue: { nodes: ['file:///etc'] }, peers })).message).toContain('catalogue')
  })
  it('have a farming rule only where a pool says so, measured and with the rule’s own defaults', () => {
    const { policy, poc, refiner } = pool('a')
    const ruled = (farming: unknown) =>
      settings({ pools: [{ address: address('a'), policy, poc, refiner, farming }] })
    const digestWith = (farming: unknown) => configDigest(parseNodeConfig(ruled(farming)))
    const plain = configDigest(parseNodeConfig(settings({ pools: [pool('a')] })))
    expect(digestWith(null)).toBe(plain)
    expect(digestWith({})).not.toBe(plain)
    expect(digestWith({ identityCap: 3 })).not.toBe(digestWith({}))
    // What a rule says of size is measured where it says it; one from before there was such a setting keeps its digest.
    expect(digestWith({ fullFrom: 0 })).not.toBe(digestWith({}))
    expect(parseNodeConfig(ruled({ fullFrom: 0 })).pools[0]?.farming).toMatchObject({ fullFrom: 0 })
    expect(parseNodeConfig(ruled({ identityCap: 3 })).pools[0]?.farming).toEqual({
      ...DEFAULT_FARMING_RULE,
      identityCap: 3,
      clusterFrom: 0.3,
      periodSeconds: 2_592_000,
    })
    for (const wrong of [
      { noveltyFloor: 1 },
      { clusterDecay: 1.1 },
      { identityDecay: -0.1 },
      { identityCap: 0 },
      { clusterCap: 0 },
      { clusterFrom: 0 },
      { fullFrom: 1.1 },
      { periodSeconds: 60 },
      { colour: 1 },
      'yes',
    ]) {
      expect(refusal(ruled(wrong)).message).toContain('farming')
    }
  })
  it('have a share of verdicts judged again only where a pool says so, measured', () => {
    const { policy, poc, refiner } = pool('a')
    const audited = (auditShare: unknown) =>
      settings({ pools: [{ address: address('a'), policy, poc, refiner, auditShare }] })
    const digestWith = (auditShare: unknown) => configDigest(parseNodeConfig(audited(auditShare)))
    expect(digestWith(0)).toBe(configDigest(parseNodeConfig(settings({ pools: [pool('a')] }))))
    expect(digestWith(0.1)).not.toBe(digestWith(0))
    for (const wrong of [-0.1, 1.1, '1', null])
      expect(refusal(audited(wrong)).message).toContain('auditShare')
  })
  it('have what an earlier proof accepted judged again only where a pool says so, measured', () => {
    const { policy, poc, refiner } = pool('a')
    const asked = (rescoring: unknown) =>
      settings({ pools: [{ address: address('a'), policy, poc, refiner, rescoring }] })
    const digestWith = (rescoring: unknown) => configDigest(parseNodeConfig(asked(rescoring)))
    const [one, other] = [{ name: 'one' }, { name: 'other' }]
    expect(digestWith(null)).toBe(configDigest(parseNodeConfig(settings({ pools: [pool('a')] }))))
    expect(digestWith({ earlier: [one, other] })).toBe(
      digestWith({ earlier: [other, one], share: 1, rule: 'keep' }),
    )
    const each = [
      { earlier: [one] },
      { earlier: [other] },
      { earlier: [one], share: 0.5 },
      { earlier: [one], rule: 'difference' },
    ]
    expect(new Set([null, ...each].map(digestWith)).size).toBe(5)
    for (const wrong of [
      {},
      { earlier: [] },
      { earlier: [one], share: 0 },
      { earlier: [one], rule: 'latest' },
      { earlier: [1] },
      true,
    ])
      expect(refusal(asked(wrong)).message).toContain('rescoring')
  })
  it('name the consents that count, measured where a pool does', () => {
    const { policy, poc, refiner } = pool('a')
    const agreed = (consents: unknown) =>
      settings({ pools: [{ address: address('a'), policy, poc, refiner, consents }] })
    const digestWith = (consents: unknown) => configDigest(parseNodeConfig(agreed(consents)))
    const one = `sha256:${'1'.repeat(64)}`
    expect(digestWith(null)).toBe(configDigest(parseNodeConfig(settings({ pools: [pool('a')] }))))
    expect(digestWith([one])).not.toBe(digestWith(null))
    expect(refusal(agreed([])).message).toContain('consents')
  })
  it('verify within a budget that is measured where a pool declares its own', () => {
    const { policy, poc, refiner } = pool('a')
    const bounded = (verification: unknown) =>
      settings({ pools: [{ address: address('a'), policy, poc, refiner, verification }] })
    const digestWith = (verification: unknown) => configDigest(parseNodeConfig(bounded(verification)))
    expect(digestWith(null)).toBe(configDigest(parseNodeConfig(settings({ pools: [pool('a')] }))))
    expect(new Set([null, {}, { signatures: 5 }, { bytes: 5_000 }].map(digestWith)).size).toBe(4)
    for (const wrong of [{ signatures: 0 }, { bytes: 1 }, { seconds: 5 }, 5])
      expect(refusal(bounded(wrong)).message).toContain('verification')
  })
  it('keep everything where no retention is declared; what is declared is measured', () => {
    const { policy, poc, refiner } = pool('a')
    const kept = (retention: unknown) =>
      settings({ pools: [{ address: address('a'), policy, poc, refiner, retention }] })
    const digestWith = (retention: unknown) => configDigest(parseNodeConfig(kept(retention)))
    expect(digestWith(null)).toBe(configDigest(parseNodeConfig(settings({ pools: [pool('a')] }))))
    const declared = [
      null,
      { contributionDays: 30 },
      { contributionDays: 31 },
      { copyDays: 30 },
      { factsDays: 30 },
    ]
    expect(new Set(declared.map(digestWith)).size).toBe(declared.length)
    expect(parseNodeConfig(kept({ copyDays: 3 })).pools[0]?.retention).toEqual({
      contributionDays: null,
      copyDays: 3,
      factsDays: null,
    })
    for (const wrong of [{ copyDays: 0 }, { copyDays: 1.5 }, { factsDays: '3' }, { colour: 1 }, 30])
      expect(refusal(kept(wrong)).message).toContain('retention')
    const answers = (retention: unknown) => configDigest(parseNodeConfig(settings({ retention })))
    expect(answers(null)).toBe(configDigest(parseNodeConfig(settings())))
    expect(new Set([null, { answerDays: 1 }, { answerDays: 2 }].map(answers)).size).toBe(3)
    for (const wrong of [{}, { answerDays: null }, { answerDays: 0 }, { answerDays: 40_000 }])
      expect(refusal(settings({ retention: wrong })).message).toContain('retention')
  })
  it('tell facts only where a pool says so, measured', () => {
    const { policy, poc, refiner } = pool('a')
    const telling = (facts: unknown) =>
      settings({ pools: [{ address: address('a'), policy, poc, refiner, facts }] })
    const digestWith = (facts: unknown) => configDigest(parseNodeConfig(telling(facts)))
    expect(digestWith(null)).toBe(configDigest(parseNodeConfig(settings({ pools: [pool('a')] }))))
    expect(digestWith({ epsilon: 1 })).not.toBe(digestWith(null))
    expect(digestWith({ epsilon: 1, most: 4 })).not.toBe(digestWith({ epsilon: 1 }))
    const defaults = { from: 100, growth: 10, most: 3, maximumRows: 200_000, keywords: null }
    expect(parseNodeConfig(telling({ epsilon: 1 })).pools[0]?.facts).toEqual({ epsilon: 1, ...defaults })
    const words = { table: 'a', column: 'b', epsilon: 1, delta: 1e-7 }
    for (const wrong of [
      {},
      { epsilon: 0 },
      { epsilon: 1, from: 1 },
      { epsilon: 1, growth: 1 },
      { epsilon: 1, most: 21 },
      { epsilon: 1, maximumRows: 0 },
      { epsilon: 1, keywords: { ...words, delta: 0 } },
      { epsilon: 1, keywords: { ...words, epsilon: 0 } },
      { epsilon: 1, colour: 1 },
    ]) {
      expect(refusal(telling(wrong)).message).toContain('facts')
    }
  })
  it('get defaults that are the careful ones', () => {
    const config = parseNodeConfig(settings())
    expect(config.sandbox.isolation).toBe('bubblewrap')
    expect(config.api).toEqual({
      host: '127.0.0.1',
      port: 8787,
      calls: { perSecond: 200, burst: 2_000 },
      costlyCalls: { perSecond: 50, burst: 500 },
      access: 'open',
      operators: [],
      origins: [],
      publicUrl: null,
      sessionSeconds: 3_600,
      maximumConnections: 1_000,
    })
    expect(config.chain.confirmations).toBe(1)
    expect(config.ingest.batchSize).toBe(50)
  })

  it('are refused with the path of what is wrong and never its value', () => {
    const error = refusal(settings({ blobStore: { kind: 'files', directory: 7, password: 'hunter2' } }))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(error.message).toContain('blobStore.directory')
    expect(error.message).not.toContain('hunter2')
  })

  it.each([
    ['an unknown setting', { colour: 'blue' }],
    ['an unknown version', { version: 2 }],
    ['no pool', { pools: [] }],
    ['one pool twice', { pools: [pool('a'), pool('A')] }],
    ['a hardware provider that does not exist here', { evidence: { provider: 'tdx' } }],
    ['a port out of range', { api: { port: 70_000 } }],
    ['an origin with a path', { api: { origins: ['https://app.example/'] } }],
    ['any origin', { api: { origins: ['*'] } }],
    ['an operator that is no address', { api: { operators: ['me'] } }],
    ['a public address that is none of the web', { api: { publicUrl: 'ftp://x' } }],
    ['sandbox isolation none', { sandbox: { isolation: 'none' } }],
    ['an image of hardware', { evidence: { provider: 'dstack', image: 'mine' } }],
    ['no recovery for a root that others have', { keyRecovery: 'none' }],
    [
      'no recovery and a successor',
      {
        keyRecovery: 'none',
        keyRelease: { adapter: 'sealed', sealer: 'simulated' },
        migration: { measurement: `0x${'1'.repeat(64)}`, keySet: digest('1') },
      },
    ],
    ['peers without a policy', { peers: { evidencePolicy: { roots: [] } } }],
    [
      'a committee’s member that believes anybody',
      { committee: { roots: [{ committee: {}, envelope: 'A'.repeat(200), configs: [digest('1')] }] } },
    ],
    [
      'a collector’s password in the settings',
      { trace: { url: 'https://me:secret@collector.example/v1/traces' } },
    ],
    ['a collector that is none', { trace: { url: 'collector' } }],
    ['a blob address that is none', { blobStore: { kind: 'http', url: 'blobs' } }],
  ])('with %s are refused', (_, change) => {
    expect(refusal(settings(change)).code).toBe('CONFIG_INVALID')
  })

  it('that are not an object are refused', () => {
    for (const input of [null, 7, 'x', [], undefined]) expect(refusal(input).code).toBe('CONFIG_INVALID')
  })
})

describe('measured settings', () => {
  const of = (change: object = {}) => configDigest(parseNodeConfig(settings(change)))

  it('do not change with the machine or the order of pools', () => {
    expect(of({ dataDirectory: '/elsewhere' })).toBe(of())
    expect(of({ api: { port: 1 } })).toBe(of())
    expect(of({ blobStore: { kind: 'http', url: 'https://blobs.example/x' } })).toBe(of())
    expect(of({ pools: [pool('b'), pool('a')] })).toBe(of())
    const migration = { measurement: `0x${'1'.repeat(64)}`, keySet: digest('1') }
    expect(of({ migration })).toBe(of())
    expect(of({ peers: null, committee: null, keyRecovery: 'allowed' })).toBe(of())
  })

  it.each([
    ['a policy', { pools: [{ ...pool('a'), policy: { name: 'other' } }, pool('b')] }],
    ['code', { pools: [{ ...pool('a'), poc: { code: 'x', digest: digest('3') } }, pool('b')] }],
    [
      'the refiner',
      { pools: [{ ...pool('a'), refiner: { code: 'y', digest: digest('3'), schema: {} } }, pool('b')] },
    ],
    ['the pools', { pools: [pool('a')] }],
    ['the isolation', { sandbox: { isolation: 'process' } }],
    ['anchors', onChain({ anchors: `0x${'5'.repeat(40)}` })],
    ['a second endpoint', onChain({ crossCheckRpcUrl: 'http://127.0.0.1:1' })],
    ['the age of heads', onChain({ maximumHeadAgeSeconds: 60 })],
    ['the machine', { evidence: { provider: 'dstack' } }],
    ['the key release', { keyRelease: { adapter: 'dstack' } }],
    ['the simulated image', { evidence: { provider: 'simulator', image: 'other' } }],
    ['the instance', { instance: 'second' }],
    ['no recovery', { keyRecovery: 'none', keyRelease: { adapter: 'sealed', sealer: 'simulated' } }],
    ['whom it believes', { peers: { evidencePolicy: defaultAttestationPolicy } }],
    [
      'the roots that it gives parts of',
      {
        peers: { evidencePolicy: defaultAttestationPolicy },
        committee: { roots: [{ committee: {}, envelope: 'A'.repeat(200), configs: [digest('1')] }] },
      },
    ],
    ['limits', { sandbox: { proof: { timeMs: 9_000 } } }],
    ['the engine', { engine: { timeoutMs: 1_000 } }],
  ])('change with %s', (_, change) => {
    expect(of(change)).not.toBe(of())
  })
})

describe('secrets', () => {
  it('are checked and never repeated', () => {
    const key = `0x${'ab'.repeat(32)}`
    expect(parseSecrets({ transactionKey: key })).toEqual({
      transactionKey: key,
      databaseUrl: null,
      s3: null,
    })
    const s3 = { accessKeyId: 'a', secretAccessKey: 'my-password' }
    expect(parseSecrets({ transactionKey: key, s3 }).s3).toEqual(s3)
    for (const wrong of [{ accessKeyId: 'my-password' }, { ...s3, more: 'my-password' }, 'my-password']) {
      expect(() => parseSecrets({ transactionKey: key, s3: wrong })).toThrow(
        expect.objectContaining({
          place: 'AWS_ACCESS_KEY_ID',
          message: expect.not.stringContaining('my-password'),
        }),
      )
    }
    const databaseUrl = 'postgresql://user:my-password@host/database'
    expect(parseSecrets({ transactionKey: key, databaseUrl }).databaseUrl).toBe(databaseUrl)
    expect(() => parseSecrets({ transactionKey: key, databaseUrl: 'my-password' })).toThrow(
      expect.objectContaining({
        place: 'SEALPOOL_DATABASE_URL',
        message: expect.not.stringContaining('my-password'),
      }),
    )
    for (const transactionKey of [undefined, '', 'ab'.repeat(32), `${key}00`, 7]) {
      expect(() => parseSecrets({ transactionKey })).toThrow(
        expect.objectContaining({ code: 'SECRET_MISSING' }),
      )
    }
    expect(() => parseSecrets({ transactionKey: 'my-secret' })).not.toThrow(/my-secret/)
  })
})

describe('settings of hand-offs', () => {
  const nodes = ['https://runner.example/']
  it('are absent by default, and then change nobody’s keys', () => {
    const config = parseNodeConfig(settings())
    expect([config.handOff, config.serveHandOff]).toEqual([null, null])
    expect(configDigest(config)).toBe(
      configDigest(parseNodeConfig(settings({ handOff: null, serveHandOff: null }))),
    )
  })

  it('get careful defaults, and are measured', () => {
    const home = parseNodeConfig(settings({ handOff: { nodes } }))
    expect(home.handOff).toEqual({
      nodes: ['https://runner.example'],
      patienceSeconds: 600,
      turnSeconds: 21_600,
      sendSeconds: 20,
    })
    const runner = parseNodeConfig(settings({ pools: [], serveHandOff: {} }))
    expect(runner.serveHandOff).toEqual({
      maximumBytes: 10_000_000_000,
      maximumJobs: 2,
      idleSeconds: 900,
      receiveSeconds: 21_600,
    })
    const digests = [
      settings(),
      settings({ handOff: { nodes } }),
      settings({ handOff: { nodes: ['https://other.example'] } }),
      settings({ serveHandOff: {} }),
      settings({ serveHandOff: { maximumJobs: 3 } }),
    ].map((one) => configDigest(parseNodeConfig(one)))
    expect(new Set(digests).size).toBe(digests.length)
  })

  it('are refused by name', () => {
    expect(refusal(settings({ pools: [] })).message).toContain('set serveHandOff, validates or anchors.keeps')
    expect(refusal(settings({ handOff: { nodes: [] } })).message).toContain('handOff.nodes')
    expect(refusal(settings({ handOff: { nodes: ['ftp://runner.example'] } })).message).toContain(
      'handOff.nodes.0',
    )
    expect(refusal(settings({ serveHandOff: { maximumBytes: 1 } })).message).toContain(
      'serveHandOff.maximumBytes',
    )
  })
})

describe('settings of a federation', () => {
  const pool = `0x${'cd'.repeat(20)}`
  const policy = { name: 'more' }
  const federation = { nodes: ['https://home.example/'], pools: [{ address: pool, policy }] }
  /** Settings of a home that anchors its charges. */
  const home = (change: object) => settings({ ...onChain({ anchors: address('9') }), ...change })
  const own = () => (settings() as { pools: { address: string }[] }).pools[0]?.address

  it('are absent by default, and then change nobody’s keys', () => {
    const config = parseNodeConfig(settings())
    expect(config.federation).toBeNull()
    expect(configDigest(config)).toBe(configDigest(parseNodeConfig(settings({ federation: null }))))
  })

  it('are measured, but for patience', () => {
    const config = parseNodeConfig(home({ federation }))
    expect(config.federation).toEqual({
      ...federation,
      nodes: ['https://home.example'],
      patienceSeconds: 600,
    })
    const digestWith = (change: object) =>
      configDigest(parseNodeConfig(home({ federation: { ...federation, ...change } })))
    const digests = [
      configDigest(parseNodeConfig(home({}))),
      digestWith({}),
      digestWith({ nodes: ['https://other.example'] }),
      digestWith({ pools: [{ address: pool, policy: { name: 'other' } }] }),
    ]
    expect(new Set(digests).size).toBe(digests.length)
    expect(digestWith({ patienceSeconds: 5 })).toBe(digestWith({}))
  })

  it('are refused where charges are not anchored', () => {
    expect(refusal(settings({ federation })).message).toContain('chain.anchors')
    expect(parseNodeConfig(home({ federation })).chain.anchors).toBe(address('9'))
  })

  it('are refused by name', () => {
    const refusalOf = (change: object) => refusal(home({ federation: { ...federation, ...change } })).message
    expect(refusalOf({ nodes: [] })).toContain('federation.nodes')
    expect(refusalOf({ nodes: ['ftp://home.example'] })).toContain('federation.nodes.0')
    expect(refusalOf({ pools: [] })).toContain('federation.pools')
    expect(refusalOf({ pools: [{ address: 'x', policy }] })).toContain('federation.pools.0.address')
    expect(refusalOf({ pools: [federation.pools[0], federation.pools[0]] })).toContain('listed once')
    expect(refusalOf({ pools: [{ address: own(), policy }] })).toContain('listed once')
  })
})
