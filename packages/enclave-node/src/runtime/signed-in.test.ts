import { spawn } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContributor, nodeApi } from '@sealpool/client'
import { type NodeAccessOptions, nodeAccess } from '@sealpool/client/access'
import { formatDeployment } from '@sealpool/contracts'
import { type JsonObject, sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyAudit } from '../audit/audit-chain.js'
import { loadConfig } from '../cli/load-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

/* A node that asks everybody to sign in: the command `sealpool` of the client, as a stranger has it, and the client itself. */

const program = fileURLToPath(new URL('../../../client/dist/cli/sealpool.js', import.meta.url))
let world: PoolWorld
let node: RunningNode
const at = (name: string) => join(world.folder, name)
/** The key of a worker, as the world makes it. */
const keyOf = (worker: number) => sha256Digest(new TextEncoder().encode(`worker ${worker}`)).slice(7)

/** Runs the command. It fails when a key or a token stands in what it printed. */
async function sealpool(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args, '--json'], {
    cwd: world.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '' },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  expect(out + err).not.toContain('sealpool1.')
  for (const worker of [0, 1]) expect(out + err).not.toContain(keyOf(worker))
  return { code, json: JSON.parse(out) as Record<string, unknown>, err }
}
const status = async (...who: readonly string[]) => {
  const { code, json } = await sealpool('status', '1', ...who)
  expect(code).toBe(0)
  return (json['node'] as { state: string } | null)?.state ?? null
}
const owner = ['--key-file', 'key-0']
const stranger = ['--key-file', 'key-1']
const agent = (file: string) => ['--token-file', file]

beforeAll(async () => {
  world = await poolWorld({ workers: 2 })
  const settings = JSON.parse(await readFile(world.config, 'utf8')) as Record<string, unknown>
  const api = { port: 0, access: 'signed-in', operators: [world.client.account.address] }
  await writeFile(world.config, JSON.stringify({ ...settings, api }))
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  node = await startNode(config, secrets, { log: nodeLogger({ level: 'silent', simulated: true }) })
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
  await world.contribute(node.url, [{ pool: world.pools.pay, worker: 0, bytes: world.payExport(0) }])
  for (const worker of [0, 1]) await writeFile(at(`key-${worker}`), keyOf(worker), { mode: 0o600 })
  await writeFile(at('deployment.json'), formatDeployment(world.deployment))
  await writeFile(
    at('sealpool.json'),
    JSON.stringify({
      deployment: 'deployment.json',
      policy: 'pay-policy.json',
      pool: world.pools.pay.pool,
      rpc: world.devnet.rpcUrl,
      node: node.url,
      store: 'blobs',
    }),
  )
  await until('refined', async () => {
    const { states } = (await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }
    return states['refined'] === 1
  })
}, 180_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
})

describe('the command sealpool at a node that asks everybody to sign in', { timeout: 240_000 }, () => {
  it('signs in as the account whose key it was given, and is told what is that account’s', async () => {
    expect(await status(...owner)).toBe('refined')
    expect(await status(...stranger)).toBeNull()
    expect(await status()).toBeNull()
    await writeFile(at('manifest.json'), '{}')
    const refused = await sealpool('plan', 'manifest.json')
    expect(refused).toMatchObject({ code: 1, json: { error: { code: 'NODE_REFUSED' } } })
    expect(JSON.stringify(refused.json)).toContain('SIGN_IN_REQUIRED')
  })

  it('gives an agent a token, which calls what it names and nothing else', async () => {
    const given = await sealpool(
      'give-token',
      'agent.token',
      '--endpoints',
      'GET /v1/contributions/{id}',
      ...owner,
    )
    expect(given).toMatchObject({ code: 0, json: { id: expect.stringMatching(/^[0-9a-f]{32}$/) } })
    expect((await stat(at('agent.token'))).mode & 0o777).toBe(0o600)
    const shown = await sealpool('show-token', 'agent.token')
    expect(shown.json).toMatchObject({
      names: [given.json['id']],
      use: 'agent',
      address: world.workers[0]?.address.toLowerCase(),
      caveats: [{ endpoints: ['GET /v1/contributions/{id}'] }],
    })
    expect(await status(...agent('agent.token'))).toBe('refined')
    const plan = await sealpool('plan', 'manifest.json', ...agent('agent.token'))
    expect(plan.code).toBe(1)
    expect(JSON.stringify(plan.json)).toContain('TOKEN_OUT_OF_SCOPE')
    // A token gives no tokens.
    const more = await sealpool('give-token', 'more.token', ...agent('agent.token'), ...owner)
    expect(more.code).toBe(1)
    await expect(stat(at('more.token'))).rejects.toThrow()
  })

  it('narrows a token offline, and revokes it from its last name on', async () => {
    const other = await sealpool('narrow-token', 'agent.token', 'other.token', '--jobs', '7')
    expect(other).toMatchObject({ code: 0, json: { caveats: [{}, { jobs: ['7'] }] } })
    expect(await status(...agent('other.token'))).toBeNull()
    const named = await sealpool(
      'narrow-token',
      'agent.token',
      'named.token',
      '--named',
      '--pools',
      world.pools.pay.pool,
    )
    const [, name] = named.json['names'] as string[]
    expect(await status(...agent('named.token'))).toBe('refined')

    const wrong = await sealpool('revoke-token', 'named.token', ...stranger)
    expect(wrong.code).toBe(3)
    expect(JSON.stringify(wrong.json)).toContain('REVOCATION_INVALID')
    const revoked = await sealpool('revoke-token', 'named.token', ...owner)
    expect(revoked).toMatchObject({ code: 0, json: { revoked: name } })
    expect(await status(...agent('named.token'))).toBeNull()
    expect(await status(...agent('agent.token'))).toBe('refined')
    await sealpool('revoke-token', 'agent.token', ...owner)
    expect(await status(...agent('agent.token'))).toBeNull()
  })

  it('asks for nothing when the token could not be kept', async () => {
    await writeFile(at('there'), 'mine')
    const there = await sealpool('give-token', 'there', ...owner)
    expect(there).toMatchObject({ code: 2, json: { error: { place: '<new-file>' } } })
    expect(await readFile(at('there'), 'utf8')).toBe('mine')
  })
})

describe('a node that asks everybody to sign in', { timeout: 180_000 }, () => {
  const signIns = async () =>
    ((await readFile(at('node/audit.jsonl'), 'utf8')).match(/"sign-in"/g) ?? []).length

  it('answers wallets what is theirs, agents what they were given, and others nothing', async () => {
    const before = await signIns()
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
    expect(await signIns()).toBe(before + 3)
  })

  it('keeps an audit log that verifies, by anybody who may read it', async () => {
    await node.stop()
    const text = await readFile(at('node/audit.jsonl'), 'utf8')
    const verdict = verifyAudit(text)
    if (!verdict.ok) throw new Error(verdict.why)
    const events = verdict.entries.map(({ event }) => event)
    expect(events.filter((event) => event === 'start')).toHaveLength(1)
    expect(events.at(-1)).toBe('stop')
    for (const { address } of world.workers)
      expect(text.toLowerCase()).not.toContain(address.slice(2).toLowerCase())
  })
})
