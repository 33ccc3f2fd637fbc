import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createPoolClient } from '@sealpool/client'
import { searchCatalogue } from '@sealpool/client/catalogue'
import { fileBlobStore } from '@sealpool/client/file-store'
import { parseDeployment } from '@sealpool/contracts'
import {
  type Address,
  deriveKeyPair,
  digestOf,
  type Hex,
  type JsonObject,
  platformRandom,
  walletIdentity,
  walletKeyTypedData,
} from '@sealpool/crypto'
import { parseRefinerSchema, schemaId } from '@sealpool/refine'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterEach, describe, expect, it } from 'vitest'
import { startDevnetNode } from '../devnet/start-devnet-node.js'
import { until } from '../testing/ask.js'
import { descendants } from '../testing/processes.js'

/* The built program, as somebody has it who has just installed it. */

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const folders: string[] = []
const started: { readonly child: ChildProcess; readonly ended: Promise<unknown> }[] = []
afterEach(async () => {
  // A test that failed leaves nothing running either: the group is the devnet's own.
  for (const { child, ended } of started.splice(0)) {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await ended
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

interface Summary {
  readonly url: string
  readonly rpc: string
  readonly folder: string
  readonly pool: Address
  readonly simulated: boolean
}

/** Starts the command with a folder of its own for temporary files. */
async function start(
  command: 'devnet' | 'drill',
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  const temporary = await mkdtemp(join(tmpdir(), 'sealpool-devnet-test-'))
  folders.push(temporary)
  const child = spawn(process.execPath, [program, command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C of a terminal goes to all processes of the group.
    detached: true,
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: temporary, ...environment },
  })
  let errors = ''
  child.stderr.on('data', (part: Buffer) => {
    errors = (errors + part.toString()).slice(-4_000)
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  started.push({ child, ended })
  const lines = createInterface({ input: child.stdout })
  const line = new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${errors}`)))
  })
  line.catch(() => undefined)
  return { child, ended, line, errors: () => errors, temporary, pid: child.pid ?? 0 }
}

describe('sealpool-node devnet', { timeout: 240_000 }, () => {
  it('is contributed to and asked by the client, says that it is simulated, and leaves nothing after Ctrl-C', async () => {
    const devnet = await start('devnet', ['--port', '0', '--json'])
    const summary = JSON.parse(await devnet.line) as Summary
    expect(summary).toMatchObject({ ready: true, simulated: true, chainId: 31_337 })
    const read = (name: string) => readFile(join(summary.folder, name), 'utf8')
    const keyOf = async (name: string) => privateKeyToAccount((await read(name)).trim() as Hex)
    const deployment = parseDeployment(await read('deployment.json'))
    const policy = JSON.parse(await read('policy.json')) as JsonObject
    const schema = schemaId(parseRefinerSchema(JSON.parse(await read('schema.json'))))
    const clientOf = (account: Awaited<ReturnType<typeof keyOf>>) =>
      createPoolClient({
        chain: createWalletClient({
          account,
          chain: foundry,
          transport: http(summary.rpc),
          pollingInterval: 50,
        }),
        deployment,
        pool: summary.pool,
        policy,
        nodeUrl: summary.url,
        blobStore: fileBlobStore({ directory: join(summary.folder, 'blobs') }),
      })
    const contributors = await Promise.all([1, 2, 3].map((number) => keyOf(`contributor-${number}.key`)))
    const [first] = contributors.map(clientOf)
    if (first === undefined) throw new Error('there is a first contributor')
    const readiness = await first.ready()
    expect(readiness).toMatchObject({ ok: true, simulated: true })
    for (const [index, account] of contributors.entries()) {
      const typedData = walletKeyTypedData({ chainId: deployment.chainId, purpose: 'My copy' })
      const signature = await account.signTypedData(typedData)
      await clientOf(account).contribute(account, {
        bytes: new TextEncoder().encode(await read(`payslip-${index + 1}.json`)),
        mediaType: 'application/json',
        schemaId: schema,
        consentDigest: digestOf(await read('consent.txt')),
        walletPublicKey: walletIdentity({ signature, address: account.address, typedData }).publicKey,
      })
    }
    await until('refined', async () => {
      const { states } = await first.node.contributionCounts(summary.pool)
      return states['refined'] === 3
    })
    await until('listed', async () => {
      const { entries } = await searchCatalogue({ url: summary.url, text: 'payslip wage' })
      return entries.length === 1 && entries[0]?.pool === summary.pool.toLowerCase() && entries[0].simulated
    })
    const analyst = clientOf(await keyOf('consumer.key'))
    const resultKey = deriveKeyPair(platformRandom(32))
    const { jobId } = await analyst.query({
      title: 'Mean wage',
      purpose: 'research',
      sql: (await read('question.sql')).trim(),
      privacy: { epsilon: 10 },
      resultPublicKey: resultKey.publicKey,
    })
    const opensAt = BigInt(Math.floor(Date.now() / 1000))
    const proposal = await first.grant(jobId, {
      price: 0n,
      poolTokenBurn: 0n,
      runs: 1,
      opensAt,
      closesAt: opensAt + 86_400n,
    })
    const stateOf = async () => (await first.proposal(proposal)).state
    await until('open for votes', async () => (await stateOf()) === 'Active')
    // At once: the devnet's votes are open for ten seconds.
    await Promise.all(contributors.map((account) => clientOf(account).vote(proposal, 'for')))
    // The chain's time passes by itself, so that people need no other tool.
    await until('won', async () => (await stateOf()) === 'Succeeded')
    await first.carryOut(proposal)
    const refusals: unknown[] = []
    await until('granted', async () => {
      try {
        if ((await stateOf()) !== 'Executed') await first.carryOut(proposal)
      } catch (error) {
        refusals.push(error)
      }
      return (await stateOf()) === 'Executed'
    })
    // Only for coming too early; a step that was taken is not taken again.
    for (const error of refusals)
      expect(error).toMatchObject({ code: 'REVERTED', revert: { name: 'TimelockUnexpectedOperationState' } })
    await analyst.fund(jobId)
    await analyst.waitForJob(jobId, { pollMs: 100, timeoutMs: 100_000 })
    const result = await analyst.result(jobId, resultKey.privateKey)
    expect(JSON.stringify(result.value)).toContain('mean_wage')

    const children = await descendants(devnet.pid)
    expect(children.length).toBeGreaterThan(0)
    process.kill(-devnet.pid, 'SIGINT')
    expect(await devnet.ended).toBe(0)
    expect(existsSync(summary.folder)).toBe(false)
    expect(await readdir(devnet.temporary)).toEqual([])
    await until('no process is left', async () => children.every((pid) => !existsSync(`/proc/${pid}`)))
  })

  it('tells people what to do, and ends with its input, also when that ends before it has begun', async () => {
    const devnet = await start('devnet', ['--port', '0', '--stop-with-stdin'])
    devnet.child.stdin.end()
    expect(await devnet.line).toMatch(/^SIMULATED: no hardware stands behind this node/)
    expect(await devnet.ended).toBe(0)
    expect(await readdir(devnet.temporary)).toEqual([])
  })

  it('without anvil it says what to install, and leaves nothing', async () => {
    const { platform, env } = process
    const temporary = await mkdtemp(join(tmpdir(), 'sealpool-devnet-test-'))
    folders.push(temporary)
    const before = { PATH: env['PATH'], TMPDIR: env['TMPDIR'] }
    // A platform without an npm package of its own.
    Object.defineProperty(process, 'platform', { value: 'plan9' })
    Object.assign(env, { PATH: '/nonexistent', TMPDIR: temporary })
    try {
      await expect(startDevnetNode({ port: 0 })).rejects.toMatchObject({
        code: 'ANVIL_NOT_FOUND',
        message: expect.stringContaining('install the npm package @foundry-rs/anvil-plan9'),
      })
    } finally {
      Object.defineProperty(process, 'platform', { value: platform })
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete env[name]
        else env[name] = value
      }
    }
    expect(await readdir(temporary)).toEqual([])
  })

  it('refuses a port that is none before it starts anything', async () => {
    const devnet = await start('devnet', ['--port', '70000'])
    expect(await devnet.ended).toBe(2)
    expect(devnet.errors()).toContain('--port')
    expect(await readdir(devnet.temporary)).toEqual([])
  })

  it('a drill that is stopped with Ctrl-C removes its devnet, and has failed', async () => {
    const drill = await start('drill', ['vulnerable'])
    await until('it has looked at something', async () => drill.errors().includes('pass '))
    // The node's own root lies there by then.
    const files = await readdir(drill.temporary, { recursive: true })
    expect(files.some((file) => file.endsWith('DEVELOPMENT-ROOT-SECRET.json'))).toBe(true)
    process.kill(-drill.pid, 'SIGINT')
    expect(await drill.ended).toBe(1)
    expect(await readdir(drill.temporary)).toEqual([])
  })
})
