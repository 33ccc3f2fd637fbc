import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  leafHash,
  openCheckpoint,
  parseEntryBundle,
  parseLogEntry,
  parseNoteKey,
  tilePath,
  treeRoot,
} from '@sealpool/attest/log'
import { nodeApi } from '@sealpool/client'
import { getBalance, getClaimable, getContribution } from '@sealpool/contracts'
import {
  digestOf,
  type JsonObject,
  type JsonValue,
  type SignedStatement,
  verifyStatement,
} from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiRoutes, everyRefusal, refusalSchema } from '../api/api-routes.js'
import { loadConfig } from '../cli/load-config.js'
import { nodeStatus, statusText } from '../cli/status.js'
import { parseNodeConfig } from '../config/node-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld, type WorldPool } from '../testing/pool-world.js'
import { worldJobs } from '../testing/world-jobs.js'
import { type Bundle, type JudgeOptions, judgeReceipt, receiptOf } from '../testing/world-receipts.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

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
      notes: [],
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
    expect(statusText(await nodeStatus(node.url))).toMatch(/SIMULATED[\s\S]*pay +1 +11 +0 +0 +0 +6 +5/)
  })
})

describe('jobs', { timeout: 180_000 }, () => {
  let jobs: ReturnType<typeof worldJobs>
  beforeAll(() => {
    jobs = worldJobs(world)
  })
  const manifest = (change: JsonObject): JsonValue => jobs.manifest({ salt: 'abcdefghijklmnop', ...change })
  const joined = {
    query: {
      sql: 'SELECT sector, avg(education) AS years FROM pay.workers JOIN people.persons USING (contributor) GROUP BY sector',
    },
  }

  const run = async (asked: JsonValue, pools: readonly WorldPool[], expected: string): Promise<bigint> => {
    const id = await jobs.paid(asked, pools)
    await until(`job ${id} ${expected}`, async () => (await job(id)).state === expected)
    return id
  }
  const judge = (bundle: Bundle, more: JudgeOptions = {}) => judgeReceipt(world, bundle, more)
  const verify = async (id: bigint) => {
    const bundle = await receiptOf(node.url, id)
    const opened = await jobs.result(node.url, id)
    if (opened === undefined) return { verdict: judge(bundle), answer: undefined, bundle }
    const { sealedResult, result } = opened
    const results = { sealedResult, result }
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

describe('a pool with a farming rule and facts', { timeout: 180_000 }, () => {
  it('scales scores on the chain, and tells in numbers what its tables hold', async () => {
    await node.stop()
    const { people } = world.pools
    const { pools } = JSON.parse(await readFile(world.config, 'utf8')) as { pools: JsonObject[] }
    const rules = { farming: {}, facts: { epsilon: 2, from: 7 } }
    const path = join(world.folder, 'ruled.json')
    const settings = JSON.parse(await readFile(world.config, 'utf8')) as JsonObject
    const ruled = pools.map((one) => (one['address'] === people.pool ? { ...one, ...rules } : one))
    await writeFile(path, JSON.stringify({ ...settings, pools: ruled }))
    const { config, secrets } = await loadConfig(
      { config: path },
      { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
    )
    node = await startNode(config, secrets, { log })
    await world.register(node.url)
    await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
    const again = new TextEncoder().encode('name,education\nworker 6 again,3\n')
    const ids = await world.contribute(node.url, [
      { pool: people, worker: 6, bytes: world.peopleExport(6) },
      { pool: people, worker: 6, bytes: again },
    ])
    interface Facts {
      readonly facts: readonly { readonly input: JsonObject; readonly statement: SignedStatement }[]
    }
    const factsOf = async () => ((await ask(`${node.url}/v1/facts?pool=${people.pool}`)) as Facts).facts
    await until('facts', async () => (await factsOf()).length === 1)
    const scores = ids.map(async (id) => {
      const asked = { deployment: world.deployment, id: BigInt(id) }
      return (await getContribution(world.client, asked)).score
    })
    expect(await Promise.all(scores)).toEqual([10_000, 8_000])
    const [told] = await factsOf()
    if (told === undefined) throw new Error('it was told')
    expect(verifyStatement(told.statement, { signer: node.keySet.statement.address })).toBe(true)
    expect(told.statement.statement.body['commitment']).toBe(digestOf(told.input))
    expect(told.input).toMatchObject({ pool: people.pool, table: 'persons', number: 1 })
  })
})
