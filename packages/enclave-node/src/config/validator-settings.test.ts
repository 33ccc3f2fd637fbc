import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { configDigest, parseNodeConfig } from './node-config.js'

const address = (digit: string): string => `0x${digit.repeat(40)}`
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
const judgedPool = {
  address: address('b'),
  policy: { name: 'pay' },
  poc: { code: 'x', digest: digest('1') },
  refiner: { code: 'y', digest: digest('2'), schema: {} },
}
const served = { ...judgedPool, address: address('a') }
const contracts = [
  'protocolToken',
  'nodeRegistry',
  'dataRegistry',
  'contributionBatches',
  'jobBoard',
  'permissions',
  'approvals',
  'poolFactory',
]
const settings = (change: object = {}): object => ({
  format: 'sealpool/node-config',
  version: 1,
  dataDirectory: '/data',
  chain: {
    rpcUrl: 'http://127.0.0.1:8545',
    deployment: {
      chainId: 31_337,
      blockNumber: 3,
      ...Object.fromEntries(contracts.map((name) => [name, address('1')])),
    },
  },
  evidence: { provider: 'simulator' },
  keyRelease: { adapter: 'development' },
  blobStore: { kind: 'files', directory: '/blobs' },
  pools: [served],
  ...change,
})
const refusal = (input: unknown): NodeError => {
  try {
    parseNodeConfig(input)
  } catch (error) {
    if (error instanceof NodeError) return error
  }
  throw new Error('it was accepted')
}

describe('settings of validators', () => {
  const node = (digit: string) => ({ address: address(digit), url: `https://${digit}.example/` })
  const judged = (validators: unknown) => settings({ pools: [{ ...served, validators }] })
  const both = { threshold: 2, nodes: [node('1'), node('2')] }
  const validates = {
    nodes: ['https://home.example/'],
    pools: [{ ...judgedPool, farming: {} }],
  }
  const digestWith = (given: unknown) => configDigest(parseNodeConfig(given))

  it('are absent by default, and then change nobody’s keys', () => {
    const config = parseNodeConfig(settings())
    expect(config.pools[0]?.validators).toBeNull()
    expect(config.validates).toBeNull()
    expect(digestWith(settings())).toBe(digestWith(settings({ validates: null })))
    expect(digestWith(judged(null))).toBe(digestWith(settings({ pools: [served] })))
  })

  const again = (rescoring: unknown) =>
    settings({ validates: { ...validates, pools: [{ ...validates.pools[0], rescoring }] } })

  it.each([
    ['no older policy', { earlier: [] }],
    ['a rule, which is the home’s', { earlier: [{}], rule: 'keep' }],
    ['a share, which is the home’s', { earlier: [{}], share: 1 }],
  ])('of what is judged again are refused with %s', (_, rescoring) => {
    expect(refusal(again(rescoring)).message).toContain('rescoring')
  })

  it('are measured, but for where a node is asked', () => {
    const digests = [
      judged(null),
      judged(both),
      judged({ ...both, threshold: 3 }),
      judged({ ...both, nodes: [node('1'), node('3')] }),
      settings({ validates }),
      settings({ validates: { ...validates, pools: [{ ...validates.pools[0], farming: null }] } }),
      settings({ validates: { ...validates, pools: [{ ...validates.pools[0], address: address('c') }] } }),
      settings({ validates: { ...validates, pools: [{ ...validates.pools[0], consents: [digest('3')] }] } }),
      again({ earlier: [{ name: 'older' }] }),
      again({ earlier: [{ name: 'older' }, { name: 'oldest' }] }),
    ].map(digestWith)
    expect(digestWith(again({ earlier: [{ name: 'oldest' }, { name: 'older' }] }))).toBe(digests.at(-1))
    expect(digestWith(again(null))).toBe(digests[4])
    expect(new Set(digests).size).toBe(digests.length)
    const moved = both.nodes.map((one) => ({ ...one, url: 'http://elsewhere.example' })).reverse()
    expect(digestWith(judged({ ...both, nodes: moved }))).toBe(digests[1])
    expect(digestWith(settings({ validates: { ...validates, nodes: ['http://elsewhere.example'] } }))).toBe(
      digests[4],
    )
    expect(parseNodeConfig(settings({ pools: [], validates })).validates?.nodes).toEqual([
      'https://home.example',
    ])
  })

  it.each([
    ['by one', { threshold: 1, nodes: [node('1')] }, 'threshold'],
    ['by half', { threshold: 2, nodes: [node('1'), node('2'), node('3')] }, 'more than half'],
    ['by more than there are', { threshold: 4, nodes: [node('1'), node('2')] }, 'more than half'],
    ['by nobody else', { threshold: 2, nodes: [] }, 'validators.nodes'],
    ['by one who is listed twice', { threshold: 2, nodes: [node('1'), node('1')] }, 'listed twice'],
    [
      'by one who is listed twice in another spelling',
      { threshold: 2, nodes: [node('a'), { ...node('a'), address: `0x${'A'.repeat(40)}` }] },
      'listed twice',
    ],
    ['without an address', { threshold: 2, nodes: [{ url: 'https://1.example' }] }, 'address'],
  ])('%s are refused by name', (_, validators, name) => {
    expect(refusal(judged(validators)).message).toContain(name)
  })

  it('of a pool that is served here, or listed twice, are refused', () => {
    const [pool] = validates.pools
    const twice = { ...validates, pools: [pool, pool] }
    expect(refusal(settings({ validates: twice })).message).toContain('once')
    const own = { ...validates, pools: [{ ...pool, address: `0x${'A'.repeat(40)}` }] }
    expect(refusal(settings({ pools: [served], validates: own })).message).toContain('once')
  })
})
