import { transferToken } from '@sealpool/contracts'
import {
  deriveKeyPair,
  digestOf,
  digestToHex,
  encodeBase64Url,
  type JsonObject,
  parseCanonical,
  sha256Digest,
} from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createPoolClient,
  memoryBlobStore,
  type PoolClientOptions,
  type QueryRequest,
  readJobOutcome,
} from './index.js'
import { input } from './testing/contribution.js'
import { type DevnetPool, devnetPool } from './testing/devnet-pool.js'
import { memoryNode } from './testing/memory-node.js'
import { result } from './testing/receipt-bundle.js'
import { releaseOnChain } from './testing/release-on-chain.js'
import { at, nonce, policy, trust } from './testing/simulated-pool.js'

/*
 * The life of a job on a real chain with the real contracts. The node's part (plan, run, statements) is played by the test with the
 * node's real keys.
 */

let world: DevnetPool
let owner: ReturnType<typeof app>
let ownId: bigint
const consumerKey = deriveKeyPair(new Uint8Array(32).fill(77))
const blobStore = memoryBlobStore()
const explanation = { steps: ['noise'] }

function app(index: number, change: Partial<PoolClientOptions> = {}) {
  const served = memoryNode(world.node)
  served.routes['/v1/plan'] = () => ({
    ok: true,
    simulated: true,
    explanation,
    planDigest: digestOf(explanation),
  })
  const client = createPoolClient({
    chain: world.walletOf(index),
    deployment: world.deployment,
    pool: world.contracts.pool,
    policy,
    nodeUrl: 'http://node.example',
    blobStore,
    fetch: served.fetch,
    now: () => at,
    retryDelayMs: 1,
    finality: { confirmations: 0 },
    ...change,
  })
  return { client, served }
}
const request: QueryRequest = {
  title: 'Mean wage',
  purpose: 'research',
  sql: 'SELECT avg(wage) FROM pay.workers',
  privacy: { epsilon: 1 },
  resultPublicKey: consumerKey.publicKey,
}

beforeAll(async () => {
  world = await devnetPool()
  owner = app(2)
  const deadline = (await world.time()) + 7200n
  ownId = (await owner.client.contribute(world.accountOf(2), { ...input, deadline })).id
  await world.accept(ownId)
  await transferToken(world.walletOf(0), {
    token: world.deployment.protocolToken,
    to: world.accountOf(3).address,
    amount: 1000n,
  })
})
afterAll(() => world.devnet.stop())

const soon = async () => ({ deadline: (await world.time()) + 100_000n })

/** Lets the pool's one member grant a job. */
async function granted(jobId: bigint, price = 10n) {
  const now = await world.time()
  const terms = { price, poolTokenBurn: 0n, runs: 1, opensAt: now, closesAt: now + 90_000n }
  const proposal = await owner.client.grant(jobId, terms, { note: `for ${jobId}` })
  await world.devnet.advanceTime(2)
  await owner.client.vote(proposal, 'for')
  await world.devnet.advanceTime(61)
  await owner.client.carryOut(proposal)
  await world.devnet.advanceTime(2)
  await owner.client.carryOut(proposal)
  return proposal
}

describe('a job', () => {
  test('is planned by a verified node, proposed, granted by vote, paid, run, and its result opened', async () => {
    const { client, served } = app(3)
    const asked = await client.query(request, await soon())
    expect(asked.plan.explanation).toEqual(explanation)
    // The node was verified before it saw the statement.
    const paths = served.seen.map(({ path }) => path.replace(/\?.*/, ''))
    expect(paths.slice(0, 2).sort()).toEqual(['/v1/evidence', '/v1/pools'])
    expect(paths[2]).toBe('/v1/plan')
    // What the pools vote on is what is stored and what stands on chain.
    const stored = await blobStore.get(asked.manifestDigest)
    expect(parseCanonical(stored)).toEqual(asked.manifest)
    const { jobId } = asked
    expect(await client.job(jobId)).toMatchObject({
      state: 'Proposed',
      manifestDigest: digestToHex(asked.manifestDigest),
      consumer: world.accountOf(3).address,
    })

    const proposal = await granted(jobId)
    expect(await client.proposal(proposal)).toMatchObject({ state: 'Executed', votes: { against: 0n } })
    expect((await client.job(jobId)).state).toBe('Approved')
    await client.fund(jobId)
    expect((await client.job(jobId)).state).toBe('Funded')

    const waiting = client.waitForJob(jobId, { pollMs: 5 })
    const { bundle, sealed } = await releaseOnChain(world, {
      jobId,
      consumer: world.accountOf(3).address,
      manifest: asked.manifest,
      policy,
      evidence: world.node.evidence(nonce),
      verdicts: [digestOf(`verdict ${ownId}`), digestOf('another contribution’s')],
      issuedAt: at,
      resultPublicKey: consumerKey.publicKey,
    })
    expect((await waiting).state).toBe('Released')
    served.routes[`/v1/jobs/${jobId}/result`] = () => ({ simulated: true, sealed: encodeBase64Url(sealed) })
    const opened = await client.result(jobId, consumerKey.privateKey)
    // Who wants a block on top of the end waits for it.
    const cautious = app(3, { finality: { confirmations: 1 } }).client
    await expect(cautious.waitForJob(jobId, { timeoutMs: 0 })).rejects.toThrow('no final block has it so')
    await expect(cautious.result(jobId, consumerKey.privateKey)).rejects.toMatchObject({ code: 'NOT_FINAL' })
    await world.devnet.advanceTime(1)
    expect((await cautious.waitForJob(jobId)).state).toBe('Released')

    // While the node gives no receipt, whose data it was is unknown, not "no".
    const known = { jobId, consumer: world.accountOf(3).address, result: sha256Digest(result) }
    const [early] = await owner.client.whoUsedMyData()
    expect(early).toMatchObject({ ...known, used: 'unknown' })

    for (const { routes } of [served, owner.served]) routes[`/v1/jobs/${jobId}/receipt`] = () => bundle
    const verdict = await client.verifyReceipt(jobId, { trust, result: opened.bytes })
    expect(verdict.checks.filter((check) => check.result !== 'pass')).toEqual([])
    expect(verdict.ok).toBe(true)
    const { chain, deployment } = { chain: world.walletOf(3), deployment: world.deployment }
    expect(await readJobOutcome(chain, { deployment, jobId })).toMatchObject({
      kind: 'released',
      manifest: digestOf(asked.manifest),
    })
    expect(await owner.client.whoUsedMyData()).toMatchObject([
      { ...known, used: 'yes', contributions: [ownId], title: 'Mean wage', purpose: 'research' },
    ])
    const stranger = app(4)
    stranger.served.routes[`/v1/jobs/${jobId}/receipt`] = () => bundle
    const options = { owner: world.accountOf(4).address }
    expect(await stranger.client.whoUsedMyData(options)).toMatchObject([{ ...known, used: 'no' }])
  })

  test('that the node would refuse is not proposed', async () => {
    const { client, served } = app(3)
    const body = { refusal: { code: 'GROUPS_TOO_SMALL', message: 'too\u001b[31m few' } }
    served.routes['/v1/plan'] = () => ({
      ok: false,
      simulated: true,
      receipt: { statement: { body } },
      evidence: {},
      policies: {},
      manifest: null,
      plan: null,
      verdicts: {},
    })
    const error = await client.query(request, await soon()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'JOB_REFUSED' })
    expect(String(error)).toContain('GROUPS_TOO_SMALL: too?[31m few')
    expect(String(error)).not.toContain('\u001b')
  })

  test('is not even planned by a node that does not verify', async () => {
    const { client, served } = app(3, { policy: { ...policy, name: 'other' } })
    const job = { pools: [{ address: world.contracts.pool }] } as unknown as JsonObject
    for (const work of [
      () => client.query(request),
      () => client.compute({ ...request, computation: 'x', parameters: {} }),
      () => client.plan(job),
      () => client.run(1n),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: 'NOT_READY' })
    }
    expect(served.seen.filter(({ method }) => method === 'POST')).toEqual([])
  })

  test('can be withdrawn by its consumer, and stopped by a contributor only', async () => {
    const { client } = app(3)
    const { jobId } = await client.compute(
      { ...request, computation: 'linear-regression', parameters: {} },
      await soon(),
    )
    await expect(client.stop(jobId)).rejects.toMatchObject({ revert: { name: 'OnlyContributor' } })
    await owner.client.stop(jobId)
    expect((await client.job(jobId)).suspended).toBe(true)
    await client.cancel(jobId)
    expect((await client.waitForJob(jobId)).state).toBe('Cancelled')
  })

  test('that does not end is an error at the timeout, and the wait can be cancelled', async () => {
    let time = at.getTime()
    const { client } = app(3, { now: () => new Date(time++) })
    const { jobId } = await client.query(request, await soon())
    await expect(client.waitForJob(jobId, { pollMs: 1, timeoutMs: 5 })).rejects.toMatchObject({
      code: 'JOB_NOT_ENDED',
    })
    const control = new AbortController()
    const waiting = client.waitForJob(jobId, { pollMs: 60_000, signal: control.signal })
    setTimeout(() => control.abort(new Error('enough')), 10)
    await expect(waiting).rejects.toThrow('enough')
    for (const [place, wrong] of [
      ['pollMs', { pollMs: Number.NaN }],
      ['pollMs', { pollMs: 2 ** 31 }],
      ['timeoutMs', { timeoutMs: Number.NaN }],
      ['timeoutMs', { timeoutMs: -1 }],
    ] as const)
      await expect(client.waitForJob(jobId, wrong)).rejects.toMatchObject({ code: 'OPTION_INVALID', place })
    await expect(client.waitForJob(999n)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test.each([
    ['no title', { title: '' }, 'title'],
    ['a title that is too long', { title: 'x'.repeat(201) }, 'title'],
    ['no purpose', { purpose: '' }, 'purpose'],
    ['no SQL', { sql: ' ' }, 'sql'],
    ['no budget', { privacy: { epsilon: 0 } }, 'privacy.epsilon'],
    ['an endless budget', { privacy: { epsilon: Number.POSITIVE_INFINITY } }, 'privacy.epsilon'],
    ['a delta of one', { privacy: { epsilon: 1, delta: 1 } }, 'privacy.delta'],
    ['a negative delta', { privacy: { epsilon: 1, delta: -1 } }, 'privacy.delta'],
    ['a short key', { resultPublicKey: new Uint8Array(31) }, 'resultPublicKey'],
    ['no pools', { pools: [] }, 'pools'],
    [
      'a pool name in capitals',
      { pools: [{ address: `0x${'ab'.repeat(20)}` as const, name: 'Pay' }] },
      'pools',
    ],
  ])('with %s is refused here', async (_name, change, place) => {
    await expect(app(3).client.query({ ...request, ...change })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      place,
    })
  })

  test.each([
    {},
    { pools: [] },
    { pools: 'all' },
    { pools: [{ address: 'nowhere' }] },
    { pools: [null] },
  ] as JsonObject[])('with the manifest %j is not proposed', async (manifest) => {
    await expect(app(3).client.propose(manifest)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      place: 'manifest.pools',
    })
  })

  test('is not proposed when the store names its manifest otherwise', async () => {
    const lying = { ...blobStore, put: async () => ({ locator: 'elsewhere', digest: digestOf('x') }) }
    const { client } = app(3, { blobStore: lying })
    await expect(client.query(request)).rejects.toMatchObject({ code: 'BLOB_STORE_INVALID' })
  })
})

describe('a contributor', () => {
  test('consents and takes it back, by the contract of approvals', async () => {
    const digest = sha256Digest(new Uint8Array([1]))
    await owner.client.consent(digest)
    await expect(owner.client.consent(digest)).rejects.toMatchObject({ revert: { name: 'AlreadyConsented' } })
    await owner.client.withdrawConsent(digest)
    await expect(app(3).client.consent(digest)).rejects.toMatchObject({ revert: { name: 'OnlyContributor' } })
  })

  test('takes a contribution back, once, and only its own', async () => {
    await expect(app(3).client.withdraw(ownId)).rejects.toMatchObject({ revert: { name: 'OwnerNotSender' } })
    await owner.client.withdraw(ownId)
    expect((await owner.client.contributionStatus(ownId)).chain.state).toBe('Withdrawn')
    await expect(owner.client.withdraw(ownId)).rejects.toMatchObject({ revert: { name: 'NotWithdrawable' } })
  })
})
