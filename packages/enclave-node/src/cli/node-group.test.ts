import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { receiptBodySchema } from '@sealpool/attest'
import { storeProgram } from '@sealpool/client/program'
import { anchorsAbi, getBalance, getJobEvents } from '@sealpool/contracts'
import { deriveKeyPair, type JsonObject, platformRandom } from '@sealpool/crypto'
import { readContract } from 'viem/actions'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { developmentKeyFile } from '../key/development-key-release.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { type PostgresServer, postgresPrograms, startPostgres } from '../testing/postgresql-server.js'
import { type ShownJob, worldManifest } from '../testing/world-jobs.js'
import { receiptOf } from '../testing/world-receipts.js'

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const members = ['node', 'second', 'third'] as const

interface Member {
  readonly name: string
  readonly child: ChildProcess
  /** Where it listens, once it leads. */
  readonly leads: Promise<string>
}

describe.skipIf(postgresPrograms === undefined)('a group of nodes', { timeout: 240_000 }, () => {
  const keys = deriveKeyPair(platformRandom(32))
  const running: Member[] = []
  let leader: Member & { readonly url: string }
  let world: PoolWorld
  let server: PostgresServer
  let url: string

  const start = (name: string): Member => {
    const child = spawn(
      process.execPath,
      [program, 'start', '--config', join(world.folder, `${name}.json`)],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'] ?? '',
          SEALPOOL_TRANSACTION_KEY: world.transactionKey,
          SEALPOOL_DATABASE_URL: url,
        },
      },
    )
    child.stderr?.resume()
    const leads = new Promise<string>((resolve) => {
      if (child.stdout === null) return
      createInterface({ input: child.stdout }).once('line', (line) =>
        resolve((JSON.parse(line) as Member & { url: string }).url),
      )
    })
    const member = { name, child, leads }
    running.push(member)
    return member
  }
  /** Kills the member that leads, while another one waits. */
  const follow = async (heir: Member): Promise<void> => {
    leader.child.kill('SIGKILL')
    leader = { ...heir, url: await heir.leads }
  }
  const paid = async (salt: string, change: JsonObject): Promise<bigint> => {
    const { pay } = world.pools
    const id = await world.propose(worldManifest(world, keys.publicKey, { salt, ...change }), [pay])
    await world.approve(id, [pay])
    await world.pay(id)
    return id
  }
  const shown = async (id: bigint) => (await ask(`${leader.url}/v1/jobs/${id}`)) as ShownJob
  const eventsOf = async (id: bigint) =>
    (await getJobEvents(world.client, { deployment: world.deployment, jobId: id })).map(({ name }) => name)
  /** Charges of the pool that stand on the chain. */
  const charges = async () => {
    const { sequence } = await readContract(world.client, {
      address: world.market.anchors,
      abi: anchorsAbi,
      functionName: 'budgetOf',
      args: [world.pools.pay.pool],
    })
    return Number(sequence)
  }

  beforeAll(async () => {
    server = await startPostgres(postgresPrograms ?? '')
    const database = await server.database('group')
    world = await poolWorld({ workers: 6 })
    url = database
    const settings = JSON.parse(await readFile(world.config, 'utf8'))
    settings.state = { kind: 'postgresql', group: 'pools', tablesDirectory: 'tables' }
    settings.programs = { runtimes: ['quickjs'] }
    await writeFile(join(world.folder, 'node.json'), JSON.stringify(settings))
    const first = start('node')
    leader = { ...first, url: await first.leads }
    await world.register(leader.url)
    await until('ready', async () => ((await ask(`${leader.url}/v1/ready`)) as { ready: boolean }).ready)
    // The others get the same keys, as a key release to one measurement would give them.
    for (const name of members.slice(1)) {
      await mkdir(join(world.folder, name))
      for (const file of [simulatorFile, developmentKeyFile]) {
        await cp(join(world.data, file), join(world.folder, name, file))
      }
      const settings = JSON.parse(await readFile(join(world.folder, 'node.json'), 'utf8'))
      await writeFile(
        join(world.folder, `${name}.json`),
        JSON.stringify({ ...settings, dataDirectory: name }),
      )
    }
    await world.contribute(
      leader.url,
      [0, 1, 2, 3, 4, 5].map((worker) => ({ pool: world.pools.pay, worker, bytes: world.payExport(worker) })),
    )
    await until('refined', async () => {
      const { states } = (await ask(`${leader.url}/v1/contributions`)) as { states: Record<string, number> }
      return states['refined'] === 6
    })
  }, 240_000)
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    await server?.stop()
    await world?.close()
  })

  it('goes on under another leader when one is killed in a job: one charge, one release', async () => {
    const recoveries: number[] = []
    const before = await charges()
    for (const [round, next] of ['second', 'third', 'node'].entries()) {
      const heir = start(next)
      const id = await paid(`kill-the-leader-${round}`, {
        query: { sql: 'SELECT count(*) AS n FROM pay.workers' },
        privacy: { epsilon: 1, delta: 0 },
      })
      await until('in the job', async () =>
        ['waiting', 'running', 'charged'].includes((await shown(id)).state),
      )
      const began = Date.now()
      await follow(heir)
      await until('settled', async () => (await shown(id)).state === 'settled')
      recoveries.push(Date.now() - began)
      expect((await eventsOf(id)).filter((name) => name === 'JobReleased')).toHaveLength(1)
      expect(await charges()).toBe(before + round + 1)
    }
    process.stdout.write(`leader killed in a job: settled again after ${recoveries.join(', ')} ms\n`)
    // The contract gives a job to another node after an hour of silence: far within it is what matters here.
    expect(Math.max(...recoveries)).toBeLessThan(120_000)
  })

  it('begins no program again when its leader is killed in one: it is ended, paid back and charged, whoever leads', async () => {
    const bytes = new TextEncoder().encode('globalThis.sealpool = { main: () => ({ half: 0.5 }) }')
    const { code } = await storeProgram({ blobStore: world.blobs, bytes, runtime: 'quickjs', entry: 'main' })
    const before = await charges()
    const second = start('second')
    const id = await paid('kill-the-leader-in-a-program', {
      kind: 'compute',
      query: null,
      compute: {
        computation: 'program',
        parameters: {
          runtime: 'quickjs',
          code,
          entry: 'main',
          tables: [{ table: 'workers', columns: ['wage'], rows: 1 }],
          argument: null,
          split: { kind: 'contributors', atMost: 6 },
          outputs: [{ name: 'half', min: 0, max: 1 }],
          limits: { memoryBytes: 16_777_216, timeMs: 10_000, steps: 1_000_000 },
        },
      },
      privacy: { epsilon: 10, delta: 0 },
    })
    const balance = () =>
      getBalance(world.client, { token: world.deployment.protocolToken, account: world.consumer })
    const afterPaying = await balance()
    await until('begun', async () => (await shown(id)).reason === 'PROGRAM_RUNS')
    expect(await charges()).toBe(before + 1)
    await follow(second)
    await until('ended', async () => (await world.jobState(id)) === 'Refused')
    /** What is left of it, at whoever leads. */
    const left = async () => {
      const { reason, receipt } = await shown(id)
      const { sealed } = (await ask(`${leader.url}/v1/jobs/${id}/result`)) as { readonly sealed?: string }
      const events = (await eventsOf(id)).filter((name) => ['JobReleased', 'JobRefunded'].includes(name))
      return { reason, receipt, sealed, events, charges: await charges(), balance: await balance() }
    }
    const ended = await left()
    expect(ended).toMatchObject({
      reason: 'PROGRAM_INTERRUPTED',
      sealed: undefined,
      events: ['JobRefunded'],
      charges: before + 1,
      balance: afterPaying + 1_000n,
    })
    const { receipt } = (await receiptOf(leader.url, id)) as {
      readonly receipt: { readonly statement: { readonly body: unknown } }
    }
    const { refusal, pools } = receiptBodySchema.parse(receipt.statement.body)
    const { budget } = pools[0] ?? {}
    expect(refusal?.code).toBe('PROGRAM_INTERRUPTED')
    expect(Number(budget?.after.epsilonSpent) - Number(budget?.before.epsilonSpent)).toBe(10)
    // The member that began it comes back, and leads again.
    await follow(start('node'))
    await until('ready', async () => ((await ask(`${leader.url}/v1/ready`)) as { ready: boolean }).ready)
    expect(await left()).toEqual(ended)
  })
})
