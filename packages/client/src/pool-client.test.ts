import {
  canonicalBytes,
  deriveKeyPair,
  digestOf,
  digestToHex,
  encodeBase64Url,
  encodeHex,
  hpkeIdentity,
  hpkeRecipient,
  type JsonObject,
  openBytes,
  platformRandom,
  sealBytes,
  sha256Digest,
} from '@sealpool/crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPoolClient, type PoolClientOptions } from './index.js'
import { account, input, recordingStore, secretText } from './testing/contribution.js'
import { memoryChain } from './testing/memory-chain.js'
import { memoryNode } from './testing/memory-node.js'
import { receiptBundle, result, sealedResult } from './testing/receipt-bundle.js'
import { chainWithHome, recordedRelease, sharedBundle } from './testing/shared-bundle.js'
import {
  at,
  deployment,
  node,
  policy,
  policyWith,
  pool,
  simulatedNode,
  trust,
} from './testing/simulated-pool.js'

let now: number
beforeEach(() => {
  now = at.getTime()
})

/** An app, its node, its chain and its store, all recording. */
function world(change: Partial<PoolClientOptions> = {}) {
  const served = memoryNode()
  const chain = memoryChain()
  const { store, puts } = recordingStore()
  const client = createPoolClient({
    chain: chain.client,
    deployment,
    pool,
    policy,
    nodeUrl: 'http://node.example',
    blobStore: store,
    now: () => new Date(now),
    fetch: served.fetch,
    ...change,
  })
  const evidenceAsked = () => served.seen.filter(({ path }) => path.startsWith('/v1/evidence')).length
  return { client, node: served, chain: chain.state, puts, store, evidenceAsked }
}

describe('ready', () => {
  test('says yes with all checks, and that the node is simulated', async () => {
    const { ok, simulated, checks } = await world().client.ready()
    expect(checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect({ ok, simulated }).toEqual({ ok: true, simulated: true })
  })

  test('sends the node nothing but a nonce, another one each time', async () => {
    const { client, node, puts } = world()
    await client.ready()
    await client.ready()
    const paths = node.seen.map(({ path }) => path)
    const nonces = paths.filter((path) => path.startsWith('/v1/evidence')).map((path) => path.slice(19))
    expect(paths.filter((path) => path === '/v1/pools').length).toBe(2)
    expect(paths.length).toBe(4)
    expect(new Set(nonces).size).toBe(2)
    for (const nonce of nonces) expect(nonce).toMatch(/^0x[0-9a-f]{64}$/)
    expect(node.seen.every(({ method, body }) => method === 'GET' && body === '')).toBe(true)
    expect(puts).toEqual([])
  })

  test('judges evidence against the nonce that it sent itself', async () => {
    const { client, node: served } = world()
    const recorded = node.evidence(encodeHex(new Uint8Array(32).fill(1)))
    served.behaviour.evidence = () => recorded
    const { ok, checks } = await client.ready()
    expect(ok).toBe(false)
    expect(checks.find(({ id }) => id === 'nonce')?.result).toBe('fail')
  })

  test('judges evidence by the clock', async () => {
    const { client } = world()
    now += 40 * 86_400_000
    expect((await client.ready()).ok).toBe(false)
  })

  test('is an error on another chain, also when a wallet is switched later', async () => {
    const { client, chain } = world()
    await client.ready()
    chain.chainId = 1
    await expect(client.ready()).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
  })

  test('is an error for a pool that the factory did not found', async () => {
    const { client, chain } = world()
    chain.founded = false
    await expect(client.ready()).rejects.toMatchObject({ code: 'POOL_UNKNOWN' })
    expect(chain.calls).toEqual(['indexOf'])
  })

  test('is an error while no key stands on chain', async () => {
    const { client, chain } = world()
    chain.facts = null
    await expect(client.ready()).rejects.toMatchObject({ code: 'POOL_NOT_SERVED', place: 'pool key' })
  })

  test('is an error when the chain does not answer or has no such contract', async () => {
    const { client, chain } = world()
    chain.reachable = false
    await expect(client.ready()).rejects.toMatchObject({ code: 'CHAIN_READ_FAILED' })
    const elsewhere = world({ pool: deployment.jobBoard })
    await expect(elsewhere.client.ready()).rejects.toMatchObject({ code: 'CHAIN_READ_FAILED' })
  })

  test.each([
    ['not at all', []],
    ['only another', [{ ...node.answer(), pool: deployment.jobBoard }]],
    ['without a key', [{ ...node.answer(), poolKey: null }]],
    ['without an epoch', [{ ...node.answer(), epoch: null }]],
    ['without a statement', [{ ...node.answer(), statement: null }]],
  ])('is an error when the node serves the pool %s', async (_name, pools) => {
    const { client, node: served } = world()
    served.routes['/v1/pools'] = () => ({ simulated: true, pools })
    await expect(client.ready()).rejects.toMatchObject({ code: 'POOL_NOT_SERVED', place: 'GET /pools' })
  })

  test('blames the node for evidence that cannot be read, the caller for such a policy', async () => {
    const { client, node: served } = world()
    served.behaviour.evidence = () => ({ format: 'sealpool/node-evidence' })
    await expect(client.ready()).rejects.toMatchObject({
      code: 'NODE_ANSWER_INVALID',
      place: 'GET /evidence',
    })
    const mistaken = world({ policy: { format: 'sealpool/pool-policy' } })
    await expect(mistaken.client.ready()).rejects.toMatchObject({ code: 'BAD_POLICY' })
  })
})

describe('prepareContribution', () => {
  test('verifies first, then seals to the verified key', async () => {
    const { client, puts, evidenceAsked } = world()
    const { simulated } = await client.prepareContribution(account, input)
    expect(evidenceAsked()).toBe(1)
    expect(simulated).toBe(true)
    const [sealed] = puts
    const opened = await openBytes(sealed ?? new Uint8Array(), { identities: [hpkeIdentity(node.poolKey())] })
    expect(new TextDecoder().decode(opened.plaintext)).toBe(secretText)
  })

  test('shows neither node nor store a payload byte before the verdict, and none after a no', async () => {
    const { client, node: served, puts } = world({ policy: policyWith({ ...trust, allowSimulator: false }) })
    const asked: number[] = []
    served.behaviour.evidence = (nonce) => {
      asked.push(puts.length)
      return node.evidence(nonce)
    }
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code: 'NOT_READY' })
    expect(asked).toEqual([0])
    expect(puts).toEqual([])
    for (const { method, path, body } of served.seen) {
      expect(`${method} ${path}`).toMatch(/^GET \/v1\/(pools|evidence\?nonce=0x[0-9a-f]{64})$/)
      expect(body).toBe('')
    }
  })

  test('names what failed', async () => {
    const { client } = world({ policy: policyWith(trust, 'another') })
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({
      code: 'NOT_READY',
      message: expect.stringContaining('The policy that you read is the one on chain') as string,
    })
  })

  test('reuses a verification for five minutes and not longer', async () => {
    const { client, evidenceAsked } = world()
    await client.prepareContribution(account, input)
    now += 5 * 60_000
    await client.prepareContribution(account, input)
    expect(evidenceAsked()).toBe(1)
    now += 1
    await client.prepareContribution(account, input)
    expect(evidenceAsked()).toBe(2)
  })

  test('a verification that has expired with its evidence seals nothing', async () => {
    const { client, puts } = world()
    expect((await client.ready()).ok).toBe(true)
    now += 40 * 86_400_000
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code: 'NOT_READY' })
    expect(puts).toEqual([])
  })

  test('follows the pool to its next key epoch, and never seals to the old key', async () => {
    const { client, chain, node: served, puts } = world()
    await client.ready()
    chain.facts = node.facts(2)
    // The node still offers its old key: nothing may be sealed to it.
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code: 'NOT_READY' })
    expect(puts).toEqual([])
    served.routes['/v1/pools'] = () => ({ simulated: true, pools: [node.answer(2)] })
    expect((await client.prepareContribution(account, input)).contribution.epoch).toBe(2)
    const opened = openBytes(puts[0] ?? new Uint8Array(), { identities: [hpkeIdentity(node.poolKey(2))] })
    expect((await opened).context.epoch).toBe(2)
  })

  test('seals nothing once the chain has another policy, another node, or none', async () => {
    const facts = node.facts()
    const changes = [
      { ...facts, policyDigest: digestToHex(digestOf('another policy')) },
      { ...facts, keyEpoch: { ...facts.keyEpoch, node: simulatedNode(8).keySet.statement.address } },
      { ...facts, node: { ...facts.node, active: false } },
    ]
    for (const changed of changes) {
      const { client, chain, puts } = world()
      await client.ready()
      chain.facts = changed
      await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code: 'NOT_READY' })
      expect(puts).toEqual([])
    }
  })

  test('seals nothing when the chain cannot be asked any more', async () => {
    const { client, chain, puts } = world()
    await client.ready()
    chain.reachable = false
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({
      code: 'CHAIN_READ_FAILED',
    })
    expect(puts).toEqual([])
  })

  test('is not held back by an earlier no', async () => {
    const { client, chain } = world()
    const facts = node.facts()
    chain.facts = { ...facts, node: { ...facts.node, active: false } }
    expect((await client.ready()).ok).toBe(false)
    chain.facts = facts
    await client.prepareContribution(account, input)
  })

  test('many at once share one verification', async () => {
    const { client, puts, evidenceAsked } = world()
    await Promise.all([1, 2, 3, 4].map(() => client.prepareContribution(account, input)))
    expect(puts.length).toBe(4)
    expect(evidenceAsked()).toBe(1)
  })

  test('verifies every time with maximumAgeMs 0 as soon as the clock moves', async () => {
    const { client, evidenceAsked } = world({ maximumAgeMs: 0 })
    await client.prepareContribution(account, input)
    now += 1
    await client.prepareContribution(account, input)
    expect(evidenceAsked()).toBe(2)
  })
})

describe('result', () => {
  const consumer = deriveKeyPair(new Uint8Array(32).fill(5))
  const answer = { rows: [[9.02]] }
  const seal = async (value: JsonObject) =>
    encodeBase64Url(
      await sealBytes(canonicalBytes(value), {
        recipients: [hpkeRecipient({ publicKey: consumer.publicKey })],
        context: {
          chainId: 31337,
          pool,
          policyDigest: digestOf(policy),
          epoch: 1,
          mediaType: 'application/json',
        },
        random: platformRandom,
      }),
    )
  const receipt = digestToHex(digestOf('receipt'))
  const recorded = digestToHex(sha256Digest(canonicalBytes(answer)))

  test('opens what the chain recorded', async () => {
    const { client, chain, node: served } = world()
    chain.outcome = { kind: 'released', receipt, result: recorded }
    const sealed = await seal(answer)
    served.routes['/v1/jobs/7/result'] = () => ({ simulated: true, sealed })
    expect((await client.result(7n, consumer.privateKey)).value).toEqual(answer)
  })

  test.each([
    ['asks again while the node has not read of the release yet', 5, true],
    ['does not ask for ever', 6, false],
  ])('%s', async (_, behind, opens) => {
    const { client, chain, node: served } = world({ retryDelayMs: 1 })
    chain.outcome = { kind: 'released', receipt, result: recorded }
    const sealed = await seal(answer)
    const notReady = () =>
      Response.json({ error: { code: 'RESULT_NOT_READY', message: 'Not yet.' } }, { status: 404 })
    let asked = 0
    served.routes['/v1/jobs/7/result'] = () => {
      asked += 1
      return asked > behind ? { simulated: true, sealed } : notReady()
    }
    const result = client.result(7n, consumer.privateKey)
    if (opens) expect((await result).value).toEqual(answer)
    else await expect(result).rejects.toMatchObject({ nodeCode: 'RESULT_NOT_READY' })
    expect(asked).toBe(6)
  })

  test('opens nothing, and asks the node for nothing, while the release is not final', async () => {
    const { client, chain, node: served } = world({ finality: { confirmations: 2 } })
    chain.outcome = { kind: 'released', receipt, result: recorded }
    await expect(client.result(7n, consumer.privateKey)).rejects.toMatchObject({ code: 'NOT_FINAL' })
    expect(served.seen).toEqual([])
  })

  test('refuses another result that the node sealed to the same key', async () => {
    const { client, chain, node: served } = world()
    chain.outcome = { kind: 'released', receipt, result: recorded }
    const sealed = await seal({ rows: [[1_000]] })
    served.routes['/v1/jobs/7/result'] = () => ({ simulated: true, sealed })
    await expect(client.result(7n, consumer.privateKey)).rejects.toMatchObject({ code: 'RESULT_INVALID' })
  })

  test('asks the node for nothing while the chain knows no release', async () => {
    for (const outcome of ['none', { kind: 'refused', receipt }] as const) {
      const { client, chain, node: served } = world()
      chain.outcome = outcome
      await expect(client.result(7n, consumer.privateKey)).rejects.toMatchObject({ code: 'RESULT_MISSING' })
      expect(served.seen).toEqual([])
    }
  })

  test('of one job is not that of another', async () => {
    const { client, chain } = world()
    chain.outcome = { kind: 'released', receipt, result: recorded }
    await expect(client.result(8n, consumer.privateKey)).rejects.toMatchObject({ code: 'RESULT_MISSING' })
  })
})

describe('verifyReceipt', () => {
  const { bundle, recorded } = receiptBundle()
  const receipt = digestToHex(recorded)
  const other = digestToHex(digestOf('other'))
  const released = (change: Partial<typeof bundle> = {}, options: Partial<PoolClientOptions> = {}) => {
    const made = world(options)
    made.chain.outcome = { kind: 'released', receipt, result: digestToHex(sha256Digest(result)) }
    made.node.routes['/v1/jobs/7/receipt'] = () => ({ ...bundle, ...change })
    made.node.routes['/v1/jobs/7/result'] = () => ({ simulated: true, sealed: encodeBase64Url(sealedResult) })
    return made
  }

  test('verifies the node’s bundle against the caller’s trust and the chain', async () => {
    const { client } = released()
    const verdict = await client.verifyReceipt(7n, { trust, result })
    expect(verdict.checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(verdict).toMatchObject({ ok: true, simulated: true })
    expect((await client.verifyReceipt(7n, { trust })).ok).toBe(false)
    expect((await client.verifyReceipt(7n, { trust: { ...trust, roots: ['intel'] }, result })).ok).toBe(false)
  })

  test('says that it is not final, for as long as the block has too few on top', async () => {
    const state = async (finality?: PoolClientOptions['finality'], head = 2) => {
      const { client, chain } = released({}, finality === undefined ? {} : { finality })
      chain.head = head
      return (await client.verifyReceipt(7n, { trust, result })).state
    }
    expect(await state(undefined, 1)).toBe('not-final')
    expect(await state(undefined, 2)).toBe('verified')
    expect(await state({ confirmations: 0 }, 1)).toBe('verified')
    expect(await state({ confirmations: 3 }, 3)).toBe('not-final')
    // A chain that is shorter than that.
    expect(await state({ confirmations: 9 })).toBe('not-final')
    expect(await state({ blockTag: 'finalized' })).toBe('verified')
  })

  test('says no to a receipt that the chain did not record for the job', async () => {
    const { client, chain } = released()
    for (const outcome of ['none', { kind: 'released', receipt: other, result: other }] as const) {
      chain.outcome = outcome
      const { ok, checks } = await client.verifyReceipt(7n, { trust, result })
      expect(ok).toBe(false)
      expect(checks.at(-1)).toMatchObject({ id: 'receipt-on-chain' })
    }
  })

  test('asks a receipt over several pools for what their homes have signed, and the chain for the homes', async () => {
    const { bundle, recorded, shares } = sharedBundle()
    const made = released(bundle)
    const { client, chain, node: served } = made
    const { budgetHeads, home } = chainWithHome
    Object.assign(chain, {
      home,
      outcome: {
        kind: 'released',
        receipt: digestToHex(recorded),
        result: digestToHex(recordedRelease.result),
        budgetHeads,
      },
    })
    const open = async () => {
      const { ok, checks } = await client.verifyReceipt(7n, { trust, result })
      expect(ok).toBe(checks.every((check) => check.result === 'pass'))
      return checks.flatMap((check) => (check.result === 'pass' ? [] : [check.id]))
    }
    served.routes['/v1/jobs/7/shares'] = () => ({ simulated: true, job: '7', shares })
    expect(await open()).toEqual([])
    chain.outcome = { kind: 'released', receipt: digestToHex(recorded), result: other }
    expect(await open()).toEqual(['charges-on-chain', 'result-on-chain'])
    chain.home = { ...home, keySetDigest: other }
    expect(await open()).toContain('homes-listed')
    // The node knows of no share: its receipt names one.
    served.routes['/v1/jobs/7/shares'] = () => ({ simulated: true, job: '7', shares: [] })
    expect(await open()).toContain('homes-signed')
  })

  test('judges the homes by what the chain showed when the job ended, as long as the endpoint keeps that', async () => {
    const { bundle, recorded, shares } = sharedBundle()
    const { client, chain, node: served } = released(bundle)
    const { budgetHeads, home } = chainWithHome
    const outcome = {
      kind: 'released',
      receipt: digestToHex(recorded),
      result: digestToHex(recordedRelease.result),
      budgetHeads,
    }
    Object.assign(chain, { home, outcome, homesChanged: true })
    served.routes['/v1/jobs/7/shares'] = () => ({ simulated: true, job: '7', shares })
    const whole = await client.verifyReceipt(7n, { trust, result })
    expect(whole).toMatchObject({ ok: true, recordedBlock: 1n, homesBlock: 1n })
    chain.pruned = 'missing trie node 8b16 (path )'
    const { checks, ...judged } = await client.verifyReceipt(7n, { trust, result })
    expect(checks.flatMap(({ id, result }) => (result === 'pass' ? [] : [id]))).toEqual(['homes-listed'])
    expect(judged).toMatchObject({ recordedBlock: 1n, homesBlock: 2n })
    chain.homesChanged = false
    expect(await client.verifyReceipt(7n, { trust, result })).toMatchObject({ ok: true, homesBlock: 2n })
    // What says nothing of the block's state is no reason to judge by another one.
    chain.pruned = 'request rate limited'
    await expect(client.verifyReceipt(7n, { trust, result })).rejects.toMatchObject({
      code: 'CHAIN_READ_FAILED',
    })
  })

  test('verifies what is left when the node keeps the result no longer', async () => {
    const { client, node: served } = released()
    const gone = { error: { code: 'RESULT_DELETED', message: 'gone' } }
    served.routes['/v1/jobs/7/result'] = () => new Response(JSON.stringify(gone), { status: 410 })
    const { checks } = await client.verifyReceipt(7n, { trust, result })
    expect(checks.flatMap(({ id, result }) => (result === 'pass' ? [] : [`${id} ${result}`]))).toEqual([
      'sealed-result not-checked',
    ])
  })

  test('asks the chain for the pools of the manifest where a home refused, whose pool the receipt does not have', async () => {
    const { bundle, recorded, shares } = sharedBundle({}, undefined, true)
    const made = released(bundle)
    const { client, chain, node: served } = made
    Object.assign(chain, {
      home: chainWithHome.home,
      outcome: { kind: 'refused', receipt: digestToHex(recorded) },
    })
    served.routes['/v1/jobs/7/shares'] = () => ({ simulated: true, job: '7', shares })
    const keysOf = async () => {
      const { checks } = await client.verifyReceipt(7n, { trust })
      return checks.find(({ id }) => id === 'homes-keys')?.result
    }
    expect(await keysOf()).toBe('pass')
    for (const manifest of [null, {}, { pools: [null, { address: 'x' }, 7] }]) {
      Object.assign(bundle, { manifest })
      expect(await keysOf()).toBe('fail')
    }
  })

  test('says no to a changed document', async () => {
    const { client } = released({ plan: { steps: [] } })
    const { ok, checks } = await client.verifyReceipt(7n, { trust, result })
    expect(ok).toBe(false)
    expect(checks.find(({ id }) => id === 'plan')?.result).toBe('fail')
  })
})

describe('createPoolClient', () => {
  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001])(
    'refuses a maximum age of %d',
    (maximumAgeMs) => {
      expect(() => world({ maximumAgeMs })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', place: 'maximumAgeMs' }),
      )
    },
  )
  test.each([
    { confirmations: -1 },
    { confirmations: 0.5 },
    { confirmations: Number.NaN },
    { confirmations: '1' },
    { blockTag: 'latest' },
    { confirmations: 1, blockTag: 'safe' },
    {},
  ])('refuses the finality %j', (finality) => {
    expect(() => world({ finality: finality as never })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', place: 'finality' }),
    )
  })
  test('refuses a node address that is not http', () => {
    expect(() => world({ nodeUrl: 'data:,x' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
  test.each<[keyof PoolClientOptions, unknown]>([
    ...[null, undefined, 'x', 5, []].map((one) => ['policy', one] as [keyof PoolClientOptions, unknown]),
    ...[null, undefined, 'x', '0x12'].map((one) => ['pool', one] as [keyof PoolClientOptions, unknown]),
  ])('refuses as %s: %j', (name, given) => {
    expect(() => world({ [name]: given })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', place: name }),
    )
  })
  test('blames a clock that gives no date, and not the node', async () => {
    const { client, node: asked } = world({ now: () => new Date(Number.NaN) })
    await expect(client.ready()).rejects.toMatchObject({ code: 'OPTION_INVALID', place: 'now' })
    expect(asked.seen).toEqual([])
  })
})
