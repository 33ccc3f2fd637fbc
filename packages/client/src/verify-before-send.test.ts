import { asJson, encodeBase64Url, type JsonObject } from '@sealpool/crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { createPoolClient, httpBlobStore, type PoolClientOptions } from './index.js'
import { localServers, objectServer } from './store/testing/local-server.js'
import { account, input, secretText } from './testing/contribution.js'
import { memoryChain } from './testing/memory-chain.js'
import { memoryNode } from './testing/memory-node.js'
import {
  at,
  deployment,
  node,
  policy,
  policyWith,
  pool,
  simulatedNode,
  simulator,
  trust,
} from './testing/simulated-pool.js'

/*
 * The trace: proxies between a client and node, blob store and chain write down every byte that passes. In each case in which
 * a check fails, no byte of the contribution, sealed or not, may have passed any of them, and in the good case none before the
 * verdict.
 */

const servers = localServers()
afterAll(() => servers.close())

interface Passed {
  readonly to: 'node' | 'store' | 'chain'
  readonly head: string
  readonly body: string
}

async function traced(change: Partial<PoolClientOptions> = {}, served = memoryNode(), chain = memoryChain()) {
  const passed: Passed[] = []
  const nodeUrl = await servers.serve((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', async () => {
      const body = Buffer.concat(parts).toString('latin1')
      passed.push({
        to: 'node',
        head: `${request.method} ${request.url} ${JSON.stringify(request.headers)}`,
        body,
      })
      const answer = await served.fetch(`http://node${request.url}`, { method: request.method ?? 'GET' })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    })
  })
  const blobs = new Map<string, Uint8Array>()
  const objects = objectServer(blobs)
  const storeUrl = await servers.serve((request, response) => {
    passed.push({ to: 'store', head: `${request.method} ${request.url}`, body: '' })
    objects(request, response)
  })
  const { request } = chain.client
  const recorded = {
    ...chain.client,
    request: (call: { method: string; params?: unknown }) => {
      passed.push({ to: 'chain', head: call.method, body: JSON.stringify(call.params ?? null) })
      return request(call as never)
    },
  } as typeof chain.client
  const client = createPoolClient({
    chain: recorded,
    deployment,
    pool,
    policy,
    nodeUrl,
    blobStore: httpBlobStore({ url: storeUrl, retryDelayMs: 1 }),
    now: () => at,
    ...change,
  })
  return { client, passed, blobs, chain: chain.state }
}

type World = Parameters<typeof traced>
const evidenceOf = (evidence: (nonce: `0x${string}`) => JsonObject): World => {
  const served = memoryNode()
  served.behaviour.evidence = evidence
  return [{}, served]
}
const answerOf = (change: Partial<ReturnType<typeof node.answer>>): World => {
  const served = memoryNode()
  served.routes['/v1/pools'] = () => ({ simulated: true, pools: [{ ...node.answer(), ...change }] })
  return [{}, served]
}
const chainOf = (change: (facts: ReturnType<typeof node.facts>) => ReturnType<typeof node.facts>): World => [
  {},
  memoryNode(),
  memoryChain({ facts: change(node.facts()) }),
]
const underPolicy = (other: JsonObject): World => {
  const same = simulatedNode(7, other)
  return [{ policy: other }, memoryNode(same), memoryChain({ facts: same.facts() })]
}
const defect = (name: 'tampered-body' | 'tampered-signature') => (nonce: `0x${string}`) => {
  const quote = simulator.quote({ reportData: new Uint8Array(64), defect: name })
  return { ...node.evidence(nonce), quote: encodeBase64Url(quote) }
}
const unserved = (): World => {
  const served = memoryNode()
  served.routes['/v1/pools'] = () => ({ simulated: true, pools: [{ ...node.answer(), poolKey: null }] })
  return [{}, served]
}
const zero: `0x${string}` = `0x${'00'.repeat(32)}`

const refusals: readonly [check: string, world: () => World][] = [
  ['nonce', () => evidenceOf(() => node.evidence(`0x${'11'.repeat(32)}`))],
  [
    'key-set',
    () =>
      evidenceOf((nonce) => ({
        ...node.evidence(nonce),
        keySet: asJson(simulatedNode(8).keySet),
      })),
  ],
  ['simulated-flag', () => evidenceOf((nonce) => ({ ...node.evidence(nonce), simulated: false }))],
  ['quote-signature', () => evidenceOf(defect('tampered-body'))],
  ['attestation-policy', () => underPolicy(policyWith({ ...trust, allowSimulator: false }))],
  [
    'attestation-policy',
    () =>
      underPolicy(policyWith({ ...trust, measurements: [{ name: 'other', mrTd: `0x${'77'.repeat(48)}` }] })),
  ],
  ['certificate-dates', () => [{ now: () => new Date('2126-01-01T00:00:00Z') }]],
  ['policy-on-chain', () => [{ policy: policyWith(trust, 'another text') }]],
  ['node-on-chain', () => chainOf((facts) => ({ ...facts, node: { ...facts.node, active: false } }))],
  [
    'node-on-chain',
    () => chainOf((facts) => ({ ...facts, node: { ...facts.node, keySetDigest: `0x${'12'.repeat(32)}` } })),
  ],
  ['pool-key-statement', () => answerOf({ statement: asJson(simulatedNode(8).statement()) })],
  [
    'pool-key-on-chain',
    () => chainOf((facts) => ({ ...facts, keyEpoch: { ...facts.keyEpoch, keyDigest: zero } })),
  ],
  [
    'pool-key-on-chain',
    () => answerOf({ poolKey: { publicKey: 'AAAA', keyId: `sha256:${'00'.repeat(32)}` } }),
  ],
  [
    'measurement-on-chain',
    () => chainOf((facts) => ({ ...facts, node: { ...facts.node, measurement: zero } })),
  ],
  ['measurement-logged', () => [{ log: async () => ({ result: 'fail', detail: 'not in the log' }) }]],
  ['measurement-logged', () => [{ log: async () => ({ result: 'not-checked', detail: 'no answer' }) }]],
]

/** Questions to the chain that tell it nothing but which pool and node are asked about. */
const harmless = ['eth_chainId', 'eth_call', 'eth_blockNumber']

function expectNothingSent(passed: readonly Passed[]): void {
  expect(passed.filter(({ to }) => to === 'store')).toEqual([])
  for (const { to, head, body } of passed) {
    if (to === 'chain') expect(harmless).toContain(head)
    else expect(`${head} ${body}`).toMatch(/^GET \/v1\/(pools|evidence\?nonce=0x[0-9a-f]{64}) \{.*\} $/)
    for (const text of [secretText, 'wage', '12.50', Buffer.from(secretText).toString('base64')]) {
      expect(`${head} ${body}`).not.toContain(text)
    }
  }
}

describe('verify before send', () => {
  test.each(refusals)('nothing leaves when the check %s fails', async (check, world) => {
    const { client, passed } = await traced(...world())
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code: 'NOT_READY' })
    expectNothingSent(passed)
    expect(passed.some(({ head }) => head.startsWith('GET /v1/evidence'))).toBe(true)
    const { ok, checks, summary } = await client.ready()
    expect(ok).toBe(false)
    expect(checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)).toContain(check)
    expect(summary.every(({ result }) => result === 'pass')).toBe(false)
    expectNothingSent(passed)
  })

  test('the cases above make every own check, and every kind of the evidence’s, fail', async () => {
    const { client } = await traced({ log: async () => ({ result: 'pass', detail: '' }) })
    const { checks } = await client.ready()
    const own = checks.map(({ id }) => id).slice(checks.findIndex(({ id }) => id === 'nonce'))
    // Unreachable from a node's answer: collateral in another form is refused as unreadable.
    const missing = own.filter((id) => id !== 'collateral-form' && !refusals.some(([check]) => check === id))
    expect(missing).toEqual([])
  })

  test.each([
    [
      'the node does not answer',
      (): World => [{ fetch: async () => Promise.reject(new Error('refused')) }],
      'NODE_UNREACHABLE',
    ],
    ['the node answers nonsense', () => evidenceOf(() => ({ hello: 'there' })), 'NODE_ANSWER_INVALID'],
    ['the node does not serve the pool', () => unserved(), 'POOL_NOT_SERVED'],
    [
      'the factory did not found the pool',
      (): World => [{}, memoryNode(), memoryChain({ founded: false })],
      'POOL_UNKNOWN',
    ],
    ['the chain is another one', (): World => [{}, memoryNode(), memoryChain({ chainId: 5 })], 'WRONG_CHAIN'],
    [
      'the chain does not answer',
      (): World => [{}, memoryNode(), memoryChain({ reachable: false })],
      'CHAIN_READ_FAILED',
    ],
  ] as const)('nothing leaves when %s', async (_name, world, code) => {
    const { client, passed } = await traced(...world())
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code })
    expectNothingSent(passed)
  })

  test('nothing leaves before the verdict, and afterwards nothing but sealed bytes to the store', async () => {
    const { client, passed, blobs } = await traced()
    let verdictAt = -1
    const prepared = await client.prepareContribution(account, input, {
      onProgress: ({ step, state }) => {
        if (step === 'verify' && state === 'done') verdictAt = passed.length
      },
    })
    expect(verdictAt).toBeGreaterThan(0)
    expectNothingSent(passed.slice(0, verdictAt))
    const after = passed.slice(verdictAt)
    expect(after.map(({ to, head }) => `${to} ${head.split(' ')[0]}`)).toEqual(['store PUT'])
    const sealed = blobs.get(prepared.contribution.locator.slice(7))
    expect(Buffer.from(sealed ?? []).includes(secretText)).toBe(false)
  })

  test('nothing is sent on an old yes when the chain has changed, and nothing on one that is too old', async () => {
    const { client, passed, chain } = await traced()
    await client.prepareContribution(account, input)
    const facts = node.facts()
    chain.facts = { ...facts, node: { ...facts.node, active: false } }
    const before = passed.length
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code: 'NOT_READY' })
    expectNothingSent(passed.slice(before))
  })
})
