import { hpkeIdentity, openBytes, platformRandom } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { memoryBlobStore, nodeApi, prepareContribution } from '../index.js'
import { account, input, secretText } from '../testing/contribution.js'
import { memoryChain } from '../testing/memory-chain.js'
import { memoryNode } from '../testing/memory-node.js'
import {
  at,
  deployment,
  node,
  policy,
  policyWith,
  pool,
  simulatedNode,
  trust,
} from '../testing/simulated-pool.js'
import type { ChainFacts } from '../verify/chain-facts.js'
import { keepEvidence, type VerifyKeptOptions, verifyKept } from './index.js'

/* A node that answered once, and answers no more: here it is its evidence alone that is asked. */

const later = (seconds: number) => () => new Date(at.getTime() + seconds * 1_000)
const keptBy = async (change: Partial<Parameters<typeof keepEvidence>[0]> = {}, served = memoryNode()) =>
  keepEvidence({
    node: nodeApi({ url: 'http://node.example', fetch: served.fetch }),
    chain: memoryChain().client,
    ...{ deployment, pool, policy },
    now: () => at,
    ...change,
  })
const { kept = '', readiness } = await keptBy()
const anHour = { maximumAgeSeconds: 3_600 }
const verified = (change: Partial<VerifyKeptOptions> = {}) =>
  verifyKept({
    ...{ kept, keptEvidence: anHour, chain: memoryChain().client, deployment, pool, policy },
    now: later(600),
    ...change,
  })
const failedOf = ({ checks }: Awaited<ReturnType<typeof verified>>) =>
  checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)

describe('evidence that was kept', () => {
  test('verifies whole again while no node answers, and its own key opens what was sealed by it', async () => {
    expect(readiness.ok).toBe(true)
    const answer = await verified()
    expect(answer).toMatchObject({ ok: true, simulated: true, state: 'kept', ageSeconds: 600 })
    expect(answer.checks.map(({ id }) => id).filter((id) => id !== 'evidence-kept')).toEqual(
      readiness.checks.map(({ id }) => id).filter((id) => id !== 'nonce'),
    )
    expect(answer.pool).toEqual(readiness.pool)
    if (answer.pool === undefined) throw new Error('it is verified')
    const blobStore = memoryBlobStore()
    const prepared = await prepareContribution({
      ...{ pool: answer.pool, deployment, account, blobStore, random: platformRandom, input },
      now: at,
    })
    // Started later, with the root that it always had.
    const started = simulatedNode(7)
    const sealed = await blobStore.get(prepared.contribution.locator)
    const { plaintext } = await openBytes(sealed, { identities: [hpkeIdentity(started.poolKey())] })
    expect(new TextDecoder().decode(plaintext)).toBe(secretText)
  })

  test('says that it is no fresh one, and how old', async () => {
    const { checks, summary } = await verified()
    expect(checks.find(({ id }) => id === 'evidence-kept')).toMatchObject({
      result: 'pass',
      detail: 'kept, 600 seconds old',
    })
    const line = summary.find(({ id }) => id === 'fresh')
    expect(line).toMatchObject({ result: 'pass', detail: 'kept, 600 seconds old', checks: ['evidence-kept'] })
    expect(JSON.stringify([checks, summary])).not.toMatch(/just now|It is fresh/)
  })

  test.each([
    ['without a rule of the caller’s', { keptEvidence: undefined }],
    ['when none may be older than now', { keptEvidence: { maximumAgeSeconds: 0 } }],
    ['that is too old', { now: later(3_601) }],
    ['from the future', { now: later(-1) }],
    ['by a rule that is no number', { keptEvidence: { maximumAgeSeconds: Number.NaN } }],
  ])('is not enough %s', async (_, change) => {
    const { keptEvidence, ...rest } = { keptEvidence: anHour as typeof anHour | undefined, ...change }
    const { kept: _kept, ...options } = { kept, ...rest }
    const answer = await verifyKept({
      ...{ kept, chain: memoryChain().client, deployment, pool, policy, now: later(600) },
      ...options,
      ...(keptEvidence === undefined ? {} : { keptEvidence }),
    })
    expect(answer.ok).toBe(false)
    expect(answer.pool).toBeUndefined()
    expect(failedOf(answer)).toEqual(['evidence-kept'])
    expect(answer.summary.find(({ id }) => id === 'fresh')?.result).toBe('fail')
  })

  const changed = (change: {
    readonly policyDigest?: ChainFacts['policyDigest']
    readonly measurement?: ChainFacts['measurement']
    readonly keyEpoch?: Partial<ChainFacts['keyEpoch']>
    readonly node?: Partial<ChainFacts['node']>
  }) => {
    const facts = node.facts()
    const next = {
      ...facts,
      ...change,
      keyEpoch: { ...facts.keyEpoch, ...change.keyEpoch },
      node: { ...facts.node, ...change.node },
    }
    return { chain: memoryChain({ facts: next }).client }
  }
  test.each([
    ['policy', changed({ policyDigest: `0x${'12'.repeat(32)}` }), 'policy-on-chain'],
    ['registration that ended', changed({ node: { active: false } }), 'node-on-chain'],
    ['key set', changed({ node: { keySetDigest: `0x${'12'.repeat(32)}` } }), 'node-on-chain'],
    ['registered code', changed({ node: { measurement: `0x${'12'.repeat(32)}` } }), 'measurement-on-chain'],
    ['code that the pool demands', changed({ measurement: `0x${'12'.repeat(32)}` }), 'measurement-on-chain'],
    ['key epoch', changed({ keyEpoch: { epoch: 2 } }), 'pool-key-on-chain'],
    ['pool key', changed({ keyEpoch: { keyDigest: `0x${'12'.repeat(32)}` } }), 'pool-key-on-chain'],
  ])('is held against the chain as it is now: another %s', async (_, change, id) => {
    const answer = await verified(change)
    expect(answer.pool).toBeUndefined()
    expect(failedOf(answer)).toContain(id)
  })

  test('is held against the time of the question: collateral that has run out', async () => {
    const answer = await verified({
      keptEvidence: { maximumAgeSeconds: 10 ** 9 },
      now: later(86_400 * 400),
    })
    expect(answer.pool).toBeUndefined()
    expect(failedOf(answer).length).toBeGreaterThan(0)
  })

  test('is held against the log as it is now', async () => {
    const log = async () => ({ result: 'fail', detail: 'it stands there no more' }) as const
    expect(failedOf(await verified({ log }))).toEqual(['measurement-logged'])
  })

  test.each([
    ['another nonce', (text: string) => text.replace(/"nonce":"0x../, '"nonce":"0xff'), ['evidence-kept']],
    ['another quote', (text: string) => text.replace(/"quote":"(.{900}).{4}/, '"quote":"$1AAAA'), []],
  ] as const)('does not verify with %s', async (_, change, failed) => {
    const text = change(kept)
    expect(text).not.toBe(kept)
    const answer = await verified({ kept: text })
    expect(answer.pool).toBeUndefined()
    expect(failedOf(answer)).toEqual(expect.arrayContaining([...failed]))
  })

  test.each([
    ['no JSON', '{'],
    ['another form', '{"format":"sealpool/kept-evidence","version":1}'],
    ['another version', kept.replace('"version":1', '"version":2')],
    ['no moment', kept.replace(/"at":"[^"]+"/, '"at":"2026-99-99T00:00:00.000Z"')],
    ['another chain', kept.replace(/"chainId":31337/, '"chainId":1')],
    ['another registry', kept.replace(deployment.nodeRegistry, `0x${'ab'.repeat(20)}`)],
    ['another pool', kept.replace(pool, `0x${'ab'.repeat(20)}`)],
    ['a pool without a key', kept.replace(/"epoch":1/, '"epoch":null')],
    ['too much', `${kept}${' '.repeat(2_000_000)}`],
  ])('is refused as %s', async (_, text) => {
    expect(text).not.toBe(kept)
    await expect(verified({ kept: text })).rejects.toMatchObject({ code: 'KEPT_INVALID', place: 'kept' })
  })
})

describe('keeping', () => {
  test('gives nothing without a yes', async () => {
    const other = await keptBy({ policy: policyWith(trust, 'other') })
    expect(other).toMatchObject({ readiness: { ok: false }, kept: undefined })
    const served = memoryNode()
    served.routes['/v1/pools'] = () => ({ simulated: true, pools: [] })
    await expect(keptBy({}, served)).rejects.toMatchObject({ code: 'POOL_NOT_SERVED' })
  })

  test('holds no secret: public answers and the nonce', () => {
    expect(Object.keys(JSON.parse(kept)).sort()).toEqual(
      ['at', 'chainId', 'evidence', 'format', 'nodeRegistry', 'nonce', 'pool', 'served', 'version'].sort(),
    )
  })
})
