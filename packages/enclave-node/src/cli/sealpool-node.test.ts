import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { getBalance, getContribution, getVerdicts } from '@sealpool/contracts'
import { deriveKeyPair, encodeBase64Url, type JsonValue, platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { descendants } from '../testing/processes.js'

/** The built program; that of an unpacked bundle where one is named. */
const program =
  process.env['SEALPOOL_NODE_PROGRAM'] ??
  fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const workers = 16

interface Started {
  readonly child: ChildProcess
  readonly url: string
  readonly pid: number
}

let world: PoolWorld
let node: Started

async function start(): Promise<Started> {
  const child = spawn(process.execPath, [program, 'start', '--config', world.config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  })
  let errors = ''
  child.stderr?.on('data', (data: Buffer) => {
    errors = (errors + data.toString()).slice(-4000)
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the node ended with ${code}: ${errors}`)))
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).once('line', (line) => {
      const ready = JSON.parse(line) as { ready: boolean; url: string; simulated: boolean }
      expect(ready).toMatchObject({ ready: true, simulated: true })
      resolve(ready.url)
    })
  })
  return { child, url, pid: child.pid ?? 0 }
}

async function kill({ child }: Started, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  child.kill(signal)
  return ended
}

const states = async () =>
  ((await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }).states

/** Part of the way that all contributions have gone: half for a verdict, half for the tables. */
function progress({ judged = 0, recorded = 0, refined = 0 }: Record<string, number>): number {
  return (judged * 0.25 + recorded * 0.5 + refined) / (workers * 2)
}

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('build the package first: npm run build -- enclave-node')
  world = await poolWorld({ workers, ingest: { batchSize: 4, refinementSize: 9 } })
  node = await start()
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
}, 180_000)
afterAll(async () => {
  if (node?.child.exitCode === null && node.child.signalCode === null) await kill(node, 'SIGKILL')
  await world?.close()
})

describe('the program', { timeout: 150_000 }, () => {
  it('explains itself, and refuses settings and commands that it does not understand', async () => {
    const run = (...words: string[]) =>
      promisify(execFile)(process.execPath, [program, ...words], { env: {} }).then(
        ({ stdout }) => ({ code: 0, text: stdout }),
        (error: { code: number; stderr: string }) => ({ code: error.code, text: error.stderr }),
      )
    expect(await run('--help')).toMatchObject({
      code: 0,
      text: expect.stringContaining('Usage: sealpool-node <command>'),
    })
    expect((await run('dance')).code).toBe(2)
    expect(await run('start', '--config', '/does/not/exist.json')).toMatchObject({
      code: 2,
      text: expect.stringContaining('CONFIG_FILE_UNREADABLE'),
    })
    expect((await run('start', '--config', world.config)).text).toContain('SECRET_MISSING')
    const measured = await run('measure', '--data', world.data)
    expect(JSON.parse(measured.text)).toMatchObject({
      simulated: true,
      rootDigest: world.attestation.roots[0],
    })
  })

  it('tells neither secret nor key in its arguments, environment of children, or log', async () => {
    for (const pid of await descendants(node.pid)) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      expect(environment + words).not.toContain(world.transactionKey.slice(2))
    }
  })
})

describe('kill -9', { timeout: 300_000 }, () => {
  it('in the middle of ingest loses no contribution and rewards none twice', async () => {
    const { pay, people } = world.pools
    const all = Array.from({ length: workers }, (_, worker) => worker)
    const ids = [
      ...(await world.contribute(
        node.url,
        all.map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker) })),
      )),
      ...(await world.contribute(
        node.url,
        all.map((worker) => ({ pool: people, worker, bytes: world.peopleExport(worker) })),
      )),
    ]
    const fallen: number[] = []
    for (const [index, share] of [0.05, 0.4, 0.8].entries()) {
      // Waits for a part of the work, then a little more, so that the kills fall on different steps.
      await until('some progress', async () => progress(await states()) >= share)
      await new Promise((done) => setTimeout(done, index * 17))
      fallen.push(progress(await states()))
      const children = await descendants(node.pid)
      await kill(node, 'SIGKILL')
      await until('the children are gone', async () => !children.some(alive))
      node = await start()
    }
    // A fast machine may be past the end at a later look.
    expect(fallen.filter((share) => share > 0 && share < 1)).not.toEqual([])
    await until('all ingested', async () => (await states())['refined'] === workers * 2)
    expect(await states()).toEqual({
      seen: 0,
      judged: 0,
      recorded: 0,
      refined: workers * 2,
      withdrawn: 0,
      refused: 0,
    })
    for (const id of ids) {
      const record = await getContribution(world.client, { deployment: world.deployment, id: BigInt(id) })
      expect(record).toMatchObject({ state: 'Accepted', score: 10_000 })
    }
    const verdicts = await getVerdicts(world.client, { deployment: world.deployment })
    expect(new Set(verdicts.map(({ id }) => id)).size).toBe(verdicts.length)
    for (const { token } of [pay, people]) {
      for (const { address } of world.workers) {
        expect(await getBalance(world.client, { token, account: address })).toBe(100n * 10n ** 18n)
      }
    }
  })

  it('in the middle of a job releases it once and charges it once', async () => {
    const keys = deriveKeyPair(platformRandom(32))
    const { pay } = world.pools
    const manifest = (salt: string): JsonValue => ({
      format: 'sealpool/job-manifest',
      version: 1,
      kind: 'query',
      title: 'Test',
      pools: [{ address: pay.pool, name: 'pay' }],
      query: { sql: 'SELECT sector, count(*) AS workers FROM pay.workers GROUP BY sector' },
      compute: null,
      privacy: { epsilon: 1, delta: 0 },
      consumer: {
        address: world.consumer,
        resultKey: { kem: 'x25519', publicKey: encodeBase64Url(keys.publicKey) },
      },
      purpose: 'research',
      salt,
    })
    const waits = [0, 150]
    for (const [index, wait] of waits.entries()) {
      const id = await world.propose(manifest(`kill-${index}-abcdefghijkl`), [pay])
      await world.approve(id, [pay])
      await world.pay(id)
      await new Promise((done) => setTimeout(done, wait))
      await kill(node, 'SIGKILL')
      node = await start()
      await until(`job ${id} settled`, async () => (await world.jobState(id)) === 'Settled')
      await until(
        'the node knows',
        async () => ((await ask(`${node.url}/v1/jobs/${id}`)) as { state: string }).state === 'settled',
      )
      const { receipt } = (await ask(`${node.url}/v1/jobs/${id}/receipt`)) as {
        receipt: { statement: { body: { pools: { budget: { after: { epsilonSpent: string } } }[] } } }
      }
      expect(receipt.statement.body.pools[0]?.budget.after.epsilonSpent).toBe(String(index + 1))
    }
  })
})

describe('SIGTERM', { timeout: 150_000 }, () => {
  it('ends the program and its children in good order', async () => {
    const children = await descendants(node.pid)
    expect(children.length).toBeGreaterThan(0)
    expect(await kill(node, 'SIGTERM')).toBe(0)
    await until('the children are gone', async () => !children.some(alive))
    expect(existsSync(join(world.data, 'node.lock'))).toBe(false)
  })

  it('leaves no plaintext of a contribution in the data directory', async () => {
    const files = await readdir(world.data, { recursive: true, withFileTypes: true })
    for (const file of files.filter((one) => one.isFile())) {
      const bytes = await readFile(join(file.parentPath, file.name))
      expect(bytes.includes('"sector":"a"') || bytes.includes('worker 7,15'), file.name).toBe(false)
    }
  })
})

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
