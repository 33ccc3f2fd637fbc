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
