import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type AttestationPolicy, verifyReceipt } from '@sealpool/attest'
import {
  leafHash,
  openCheckpoint,
  parseEntryBundle,
  parseLogEntry,
  parseNoteKey,
  tilePath,
  treeRoot,
} from '@sealpool/attest/log'
import { createContributor, nodeApi, openResult } from '@sealpool/client'
import { type NodeAccessOptions, nodeAccess } from '@sealpool/client/access'
import { getBalance, getClaimable, getContribution } from '@sealpool/contracts'
import {
  type Digest,
  decodeBase64Url,
  deriveKeyPair,
  digestOf,
  encodeBase64Url,
  type JsonObject,
  type JsonValue,
  platformRandom,
  verifyStatement,
} from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiRoutes, everyRefusal, refusalSchema } from '../api/api-routes.js'
import { verifyAudit } from '../audit/audit-chain.js'
import { loadConfig } from '../cli/load-config.js'
import { statusTable } from '../cli/status.js'
import { parseNodeConfig } from '../config/node-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld, type WorldPool } from '../testing/pool-world.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

interface Bundle {
  readonly receipt?: unknown
  readonly evidence: unknown
  readonly policies: Record<string, JsonValue>
  readonly manifest: JsonValue
  readonly plan: JsonValue | null
  readonly verdicts: Record<string, Digest[]>
}

let world: PoolWorld
let node: RunningNode
const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })

async function start(change: object = {}): Promise<RunningNode> {
  const { config: loaded, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  const config = parseNodeConfig({ ...loaded, ...change })
  return startNode(config, secrets, { log })
}

const counts = async (pool?: WorldPool) =>
  (await ask(`${node.url}/v1/contributions${pool === undefined ? '' : `?pool=${pool.pool}`}`)) as {
    total: number
    states: Record<string, number>
    refused: Record<string, number>
  }
const job = async (id: bigint) =>
  (await ask(`${node.url}/v1/jobs/${id}`)) as { state: string; reason: string | null }

beforeAll(async () => {
  world = await poolWorld({ workers: 8 })
  node = await start()
}, 180_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
})

describe('a node before its registration', { timeout: 180_000 }, () => {
  it('says that it is not ready, that it is simulated, and gives evidence for a nonce', async () => {
    expect(await ask(`${node.url}/v1/ready`)).toEqual({
      simulated: true,
      ready: false,
      reasons: ['the node is not registered on the chain'],
    })
    const nonce = `0x${'ab'.repeat(32)}`
    expect(await ask(`${node.url}/v1/evidence?nonce=${nonce}`)).toMatchObject({ nonce, simulated: true })
  })

  it('publishes its pool keys once it is registered', async () => {
    await world.register(node.url)
    await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
    expect(await ask(`${node.url}/v1/pools`)).toMatchObject({
      simulated: true,
      pools: [
        { name: 'pay', epoch: 1 },
        { name: 'people', epoch: 1 },
      ],
    })
  })
})

describe('ingest', { timeout: 180_000 }, () => {
  it('accepts good contributions, refuses each bad one by name, and loses nothing else', async () => {
    const { pay, people } = world.pools
    const good = [0, 1, 2, 3, 4, 5].map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker) }))
    const text = (value: string) => new TextEncoder().encode(value)
    const bad = [
      { pool: pay, worker: 6, bytes: world.payExport(6) },
      { pool: pay, worker: 6, bytes: world.payExport(6, 20), sealedFor: people },
      { pool: pay, worker: 6, bytes: world.payExport(0) },
      { pool: pay, worker: 7, bytes: text('not json') },
      { pool: pay, worker: 7, bytes: world.payExport(7, 30) },
    ]
    const blob = (locator: string) => join(world.folder, 'blobs', locator.slice(7, 9), locator.slice(7))
    const ids = await world.contribute(node.url, [...good, ...bad], async (locator, index) => {
      if (index === 6) await writeFile(blob(locator), (await readFile(blob(locator))).subarray(0, 100))
      if (index === 10) await rm(blob(locator))
    })
    await world.contribute(
      node.url,
      [0, 1, 2, 3, 4, 5].map((worker) => ({ pool: people, worker, bytes: world.peopleExport(worker) })),
    )
    await until('all ingested', async () => {
      const { states } = await counts()
      return states['refined'] === 12 && states['refused'] === 5
    })
    expect((await counts(pay)).refused).toEqual({
      BLOB_DIGEST_MISMATCH: 1,
      WRONG_POOL: 1,
      DUPLICATE_CONTENT: 1,
      MALFORMED_EXPORT: 1,
      BLOB_MISSING: 1,
    })
    for (const [index, id] of ids.entries()) {
      const { state } = await getContribution(world.client, { deployment: world.deployment, id: BigInt(id) })
      expect(state, `contribution ${index}`).toBe(index < 6 ? 'Accepted' : 'Refused')
    }
    const first = (await ask(`${node.url}/v1/contributions/${ids[0]}`)) as Record<string, unknown>
    expect(first).toMatchObject({ simulated: true, state: 'refined', score: 10_000, reason: null })
    expect(JSON.stringify(first)).not.toContain('10.00')
    const worker = world.workers[0]
    if (worker === undefined) throw new Error('no worker')
    expect(await getBalance(world.client, { token: pay.token, account: worker.address })).toBe(
      100n * 10n ** 18n,
    )
    expect(await statusTable(node.url)).toMatch(/SIMULATED[\s\S]*pay +1 +11 +0 +0 +0 +6 +5/)
  })
})

describe('jobs', { timeout: 180_000 }, () => {
  const keys = deriveKeyPair(platformRandom(32))
  const manifest = (change: object): JsonValue =>
    ({
      format: 'sealpool/job-manifest',
      version: 1,
      kind: 'query',
      title: 'Test',
      pools: [{ address: world.pools.pay.pool, name: 'pay' }],
      query: { sql: 'SELECT sector, avg(wage) AS mean_wage FROM pay.workers GROUP BY sector' },
      compute: null,
      privacy: { epsilon: 2, delta: 0 },
      consumer: {
        address: world.consumer,
        resultKey: { kem: 'x25519', publicKey: encodeBase64Url(keys.publicKey) },
      },
      purpose: 'research',
      salt: 'abcdefghijklmnop',
      ...change,
    }) as JsonValue
  const joined = {
    query: {
      sql: 'SELECT sector, avg(education) AS years FROM pay.workers JOIN people.persons USING (contributor) GROUP BY sector',
    },
  }

  const run = async (asked: JsonValue, pools: readonly WorldPool[], expected: string): Promise<bigint> => {
    const id = await world.propose(asked, pools)
    await world.approve(id, pools)
    await world.pay(id)
    await until(`job ${id} ${expected}`, async () => (await job(id)).state === expected)
    return id
  }
  const judge = (bundle: Bundle, more: Partial<Parameters<typeof verifyReceipt>[0]> = {}) =>
    verifyReceipt({
      receipt: bundle.receipt,
      evidence: bundle.evidence,
      policies: Object.values(bundle.policies),
      manifest: bundle.manifest,
      ...(bundle.plan === null ? {} : { plan: bundle.plan }),
      verdicts: bundle.verdicts,
      deployment: { chainId: world.deployment.chainId, registry: world.deployment.nodeRegistry },
      trust: world.attestation as AttestationPolicy,
      at: new Date(),
      ...more,
    })
  const verify = async (id: bigint) => {
    const bundle = (await ask(`${node.url}/v1/jobs/${id}/receipt`)) as Bundle
    const result = (await ask(`${node.url}/v1/jobs/${id}/result`)) as { sealed?: string }
    if (result.sealed === undefined) return { verdict: judge(bundle), answer: undefined, bundle }
    const sealedResult = decodeBase64Url(result.sealed)
    const opened = await openResult({ sealed: sealedResult, privateKey: keys.privateKey })
    const results = { sealedResult, result: opened.bytes }
    return { verdict: judge(bundle, results), answer: opened.value, bundle, results }
  }

  it('refuses a job that no vote approved, with a receipt that verifies', async () => {
    const id = await world.propose(manifest({ salt: 'unapproved-unapproved' }), [world.pools.pay])
    const answer = (await ask(`${node.url}/v1/jobs/${id}/run`, { method: 'POST' })) as Record<string, unknown>
    expect(answer).toMatchObject({ state: 'seen', reason: 'JOB_NOT_APPROVED' })
    const { verdict } = await verify(id)
    expect(verdict.checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(verdict.body?.refusal?.code).toBe('JOB_NOT_APPROVED')
  })

  it('previews a plan, and refuses select * and a query past the budget with signed receipts', async () => {
    const plan = async (asked: JsonValue) =>
      (await ask(`${node.url}/v1/plan`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ manifest: asked }),
      })) as {
        ok: boolean
        receipt?: { statement: { body: { refusal: { code: string } } } }
      } & Bundle
    expect((await plan(manifest({}))).ok).toBe(true)
    const star = await plan(manifest({ query: { sql: 'SELECT * FROM pay.workers' } }))
    expect(star.receipt?.statement.body.refusal.code).toBe('SELECT_STAR')
    const greedy = await plan(manifest({ privacy: { epsilon: 81, delta: 0 } }))
    expect(greedy.receipt?.statement.body.refusal.code).toBe('BUDGET_PER_JOB_EXCEEDED')
    expect(judge(star).checks.filter(({ result }) => result !== 'pass')).toEqual([])
  })

  it('runs an approved and paid query: charged, sealed, signed, settled', async () => {
    const id = await run(manifest({}), [world.pools.pay], 'settled')
    expect(await world.jobState(id)).toBe('Settled')
    const { verdict, answer } = await verify(id)
    expect(verdict.checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(verdict.ok).toBe(true)
    expect(answer).toMatchObject({
      columns: [
        { name: 'sector', kind: 'key' },
        { name: 'mean_wage', kind: 'average' },
      ],
    })
    expect(verdict.body?.pools[0]?.budget).toMatchObject({
      before: { epsilonSpent: '0' },
      after: { epsilonSpent: '2' },
      charged: { epsilon: '2' },
    })
    const worker = world.workers[0]
    if (worker === undefined) throw new Error('no worker')
    const claimable = { pool: world.pools.pay.pool, contributor: worker.address }
    expect(await getClaimable(world.client, claimable)).toBeGreaterThan(0n)
  })

  it('joins pools by wallet and charges both', async () => {
    const { pay, people } = world.pools
    const pools = [
      { address: pay.pool, name: 'pay' },
      { address: people.pool, name: 'people' },
    ]
    const id = await run(manifest({ ...joined, pools }), [pay, people], 'settled')
    const { verdict } = await verify(id)
    expect(verdict.ok).toBe(true)
    expect(verdict.body?.pools.map(({ budget }) => budget?.after.epsilonSpent)).toEqual(['4', '2'])
  })

  it('runs a computation over both pools', async () => {
    const { pay, people } = world.pools
    const id = await run(
      manifest({
        kind: 'compute',
        query: null,
        pools: [
          { address: pay.pool, name: 'pay' },
          { address: people.pool, name: 'people' },
        ],
        compute: {
          computation: 'linear-regression',
          parameters: {
            target: { pool: 'pay', table: 'workers', column: 'wage' },
            features: [
              {
                name: 'education',
                pool: 'people',
                table: 'persons',
                column: 'education',
                transform: 'identity',
              },
            ],
          },
        },
        privacy: { epsilon: 80, delta: 0 },
      }),
      [pay, people],
      'settled',
    )
    const { verdict, answer } = await verify(id)
    expect(verdict.ok).toBe(true)
    expect(answer).toMatchObject({
      coefficients: expect.arrayContaining([expect.objectContaining({ name: 'education' })]),
    })
  })

  it('refuses a paid job past the budget, refunds it and charges nothing', async () => {
    const id = await run(
      manifest({ privacy: { epsilon: 7, delta: 0 }, salt: 'past-the-budget-0' }),
      [world.pools.pay],
      'refused',
    )
    expect(await world.jobState(id)).toBe('Refused')
    const { verdict } = await verify(id)
    expect(verdict.body?.refusal?.code).toBe('BUDGET_EXHAUSTED')
    expect(verdict.ok).toBe(true)
  })

  it('answers in the shapes that the client parses', async () => {
    const api = nodeApi({ url: node.url })
    expect((await api.pools()).map(({ name }) => name)).toEqual(['pay', 'people'])
    expect((await api.contributionCounts(world.pools.pay.pool)).states['refined']).toBe(6)
    expect(await api.contribution('1')).toMatchObject({ id: '1', state: 'refined' })
    expect(await api.job('2')).toMatchObject({ state: 'settled' })
    expect(await api.runJob('2')).toMatchObject({ state: 'settled' })
    expect((await api.jobReceipt('2')).manifest).toEqual(manifest({}))
    expect((await api.jobResult('2')).length).toBeGreaterThan(100)
    expect((await api.plan(manifest({}) as JsonObject)).ok).toBe(true)
    expect((await api.plan(manifest({ query: { sql: 'SELECT * FROM pay.workers' } }) as JsonObject)).ok).toBe(
      false,
    )
    await expect(api.job('999')).rejects.toMatchObject({ code: 'NODE_REFUSED' })
  })

  it('answers every call as its description says', async () => {
    const answers = async (path: string, address: string, init?: RequestInit) => {
      const route = apiRoutes.find(
        (one) => one.path === path && one.method === (init?.method ?? 'GET').toLowerCase(),
      )
      const response = await fetch(`${node.url}${address}`, init)
      const schema =
        route?.answers[response.status] ?? refusalSchema([...everyRefusal, ...(route?.refusals ?? [])])
      return schema.parse(await response.json())
    }
    const plan = (sql: string) => ({
      method: 'POST',
      body: JSON.stringify({ manifest: manifest({ query: { sql } }) }),
    })
    for (const path of ['health', 'ready', 'evidence', 'pools', 'contributions', 'jobs', 'openapi.json']) {
      await answers(`/v1/${path}`, `/v1/${path}`)
    }
    const { total } = await counts()
    for (let id = 1; id <= total + 1; id++) await answers('/v1/contributions/{id}', `/v1/contributions/${id}`)
    for (let id = 1; id <= 6; id++) {
      for (const more of ['', '/receipt', '/result'])
        await answers(`/v1/jobs/{id}${more}`, `/v1/jobs/${id}${more}`)
    }
    await answers('/v1/jobs/{id}/run', '/v1/jobs/2/run', { method: 'POST' })
    await answers('/v1/plan', '/v1/plan', plan('SELECT count(*) AS n FROM pay.workers'))
    await answers('/v1/plan', '/v1/plan', plan('SELECT * FROM pay.workers'))
    await answers('/v1/plan', '/v1/plan', { method: 'POST', body: '{' })
    for (const sql of ['SELECT count(*) AS n FROM pay.workers', 'SELECT * FROM pay.workers'])
      await answers('/v1/price', '/v1/price', plan(sql))
    await answers('/v1/proposals', '/v1/proposals')
    for (let id = 1; id <= 7; id++) await answers('/v1/proposals/{id}', `/v1/proposals/${id}`)
    await answers('/v1/log/key', '/v1/log/key')
    await answers('/v1/sign-in', '/v1/sign-in')
    for (const path of ['sign-in', 'sign-out', 'tokens', 'tokens/revoke', 'sealed'])
      await answers(`/v1/${path}`, `/v1/${path}`, { method: 'POST', body: '{}' })
    await answers('/v1/audit', '/v1/audit')
  })

  it('tells what a job would cost before it is proposed, and shows it once it is', async () => {
    const asked = manifest({ salt: 'qrstuvwxyzabcdef', privacy: { epsilon: 0.5, delta: 0 } })
    const post = { method: 'POST', body: JSON.stringify({ manifest: asked }) }
    expect(await ask(`${node.url}/v1/price`, post)).toMatchObject({
      ok: true,
      binding: false,
      price: '1000',
      pools: [
        {
          pool: world.pools.pay.pool,
          price: '1000',
          poolTokenBurn: '0',
          charge: { epsilon: '0.5', delta: '0' },
          budget: { epsilonTotal: '90' },
        },
      ],
    })
    const id = String(await world.propose(asked, [world.pools.pay]))
    const list = async (query: string) =>
      ((await ask(`${node.url}/v1/proposals${query}`)) as { proposals: { id: string }[] }).proposals
    await until('the proposal', async () => (await list('')).some((one) => one.id === id))
    expect(await ask(`${node.url}/v1/proposals/${id}`)).toMatchObject({
      id,
      chainState: 'Proposed',
      manifest: asked,
    })
    expect((await list(`?pool=${world.pools.pay.pool}`)).map((one) => one.id)).toContain(id)
    expect((await list(`?pool=${world.pools.people.pool}`)).map((one) => one.id)).not.toContain(id)
    expect(await list(`?after=${id}`)).toEqual([])
  })

  it('logs every receipt, under a checkpoint that its own key has signed', async () => {
    const { key, statement } = (await ask(`${node.url}/v1/log/key`)) as { key: string; statement: never }
    expect(verifyStatement(statement, { signer: node.keySet.statement.address })).toBe(true)
    const checkpoint = await (await fetch(`${node.url}/v1/log/checkpoint`)).text()
    const opened = openCheckpoint(checkpoint, parseNoteKey(key))
    const size = opened?.checkpoint.size ?? 0
    const bytes = await (await fetch(`${node.url}/v1/log/${tilePath('entries', 0, size)}`)).arrayBuffer()
    const entries = parseEntryBundle(new Uint8Array(bytes))
    expect(treeRoot(entries.map((entry) => leafHash(entry)))).toEqual(opened?.checkpoint.root)
    const { receipt } = (await ask(`${node.url}/v1/jobs/2/receipt`)) as { receipt: { statement: JsonObject } }
    expect(entries.map((entry) => parseLogEntry(entry).digest)).toContain(digestOf(receipt.statement))
  })

  it('is found to be false when one byte of the receipt is another', async () => {
    const { bundle, results } = await verify(3n)
    const text = JSON.stringify(bundle.receipt)
    const at = text.indexOf('"epsilonSpent":"2"') + '"epsilonSpent":"'.length
    const receipt = JSON.parse(`${text.slice(0, at)}1${text.slice(at + 1)}`) as unknown
    expect(judge(bundle, results).ok).toBe(true)
    expect(judge(bundle, { ...results, receipt }).ok).toBe(false)
  })
})

describe('a restart', { timeout: 180_000 }, () => {
  it('keeps keys, registration, counts and jobs', async () => {
    const before = await counts()
    const { keySetDigest, quoteDigest } = node
    await node.stop()
    node = await start()
    expect(node).toMatchObject({ keySetDigest, quoteDigest })
    await until('ready again', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
    expect(await counts()).toEqual(before)
  })

  it('finds on the disk nothing of what the node remembers of people and jobs', async () => {
    const own = (await ask(`${node.url}/v1/contributions/1`)) as { owner: string; verdictDigest: string }
    const receipt = (await ask(`${node.url}/v1/jobs/2/receipt`)) as { receipt: { signature: string } }
    const words = [
      own.owner.slice(2).toLowerCase(),
      own.verdictDigest.slice(7),
      receipt.receipt.signature.slice(2, 60),
      world.pools.pay.pool.slice(2).toLowerCase(),
      'pay.workers',
      'BUDGET_EXHAUSTED',
      'DUPLICATE_CONTENT',
      'epsilonSpent',
    ]
    const folder = join(dirname(world.config), 'node')
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    )
    const all = Buffer.concat(await Promise.all(files.map((one) => readFile(join(one.parentPath, one.name)))))
    expect(all.includes('sealed_rows')).toBe(true)
    for (const word of words) expect([word, all.includes(word)]).toEqual([word, false])
  })
})

describe('a node that asks everybody to sign in', { timeout: 180_000 }, () => {
  it('answers wallets what is theirs, agents what they were given, and others nothing', async () => {
    await node.stop()
    node = await start({ api: { port: 0, access: 'signed-in', operators: [world.client.account.address] } })
    await until('ready again', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
    const plain = nodeApi({ url: node.url })
    await expect(plain.contribution('1')).rejects.toMatchObject({ nodeCode: 'SIGN_IN_REQUIRED' })
    await expect(plain.jobResult('2')).rejects.toMatchObject({ nodeCode: 'SIGN_IN_REQUIRED' })

    const wire: string[] = []
    const clientOf = (options: NodeAccessOptions) =>
      createContributor({
        chain: world.client,
        deployment: world.deployment,
        pool: world.pools.pay.pool,
        policy: world.pools.pay.policy as JsonObject,
        nodeUrl: node.url,
        blobStore: world.blobs,
        access: nodeAccess(options),
        async fetch(input, init) {
          wire.push(`${String(input)} ${Buffer.from((init?.body as Uint8Array) ?? '').toString('latin1')}`)
          return fetch(input, init)
        },
      })
    const [owner, other] = world.workers
    if (owner === undefined || other === undefined) throw new Error('the world has no workers')
    const [id] = [1n]
    expect((await clientOf({ account: owner }).contributionStatus(id)).node).toMatchObject({
      state: 'refined',
    })
    expect((await clientOf({ account: other }).contributionStatus(id)).node).toBeNull()
    expect((await clientOf({}).contributionStatus(id)).node).toBeNull()
    const paths = new Set(wire.map((line) => new URL(line.split(' ')[0] ?? '').pathname))
    expect([...paths].sort()).toEqual(['/v1/evidence', '/v1/pools', '/v1/sealed'])
    expect(wire.join()).not.toContain('contributions')

    const operator = clientOf({ account: world.client.account, roles: ['operator'] })
    await expect(operator.node.contribution('1')).rejects.toMatchObject({ nodeCode: 'ROLE_NOT_ALLOWED' })
  })

  it('keeps an audit log that verifies, by anybody who may read it', async () => {
    await node.stop()
    const text = await readFile(join(dirname(world.config), 'node', 'audit.jsonl'), 'utf8')
    const verdict = verifyAudit(text)
    if (!verdict.ok) throw new Error(verdict.why)
    const events = verdict.entries.map(({ event }) => event)
    expect(events.filter((event) => event === 'start')).toHaveLength(3)
    expect(events.filter((event) => event === 'sign-in')).toHaveLength(3)
    expect(events.at(-1)).toBe('stop')
    for (const { address } of world.workers)
      expect(text.toLowerCase()).not.toContain(address.slice(2).toLowerCase())
    node = await start()
  })
})
