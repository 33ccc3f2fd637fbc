import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { anchorsAbi, getJobEvents } from '@sealpool/contracts'
import { deriveKeyPair, platformRandom } from '@sealpool/crypto'
import { readContract } from 'viem/actions'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { developmentKeyFile } from '../key/development-key-release.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { type PostgresServer, postgresPrograms, startPostgres } from '../testing/postgresql-server.js'
import { worldManifest } from '../testing/world-jobs.js'

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
  const manifest = (salt: string) =>
    worldManifest(world, keys.publicKey, {
      query: { sql: 'SELECT count(*) AS n FROM pay.workers' },
      privacy: { epsilon: 1, delta: 0 },
      salt,
    })

  beforeAll(async () => {
    server = await startPostgres(postgresPrograms ?? '')
    const database = await server.database('group')
    world = await poolWorld({ workers: 6 })
    url = database
    const settings = JSON.parse(await readFile(world.config, 'utf8'))
    settings.state = { kind: 'postgresql', group: 'pools', tablesDirectory: 'tables' }
    await writeFile(join(world.folder, 'node.json'), JSON.stringify(settings))
  }, 180_000)
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    await server?.stop()
    await world?.close()
  })

  it('goes on under another leader when one is killed in a job: one charge, one release', async () => {
    const first = start('node')
    let leader = { ...first, url: await first.leads }
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
    const recoveries: number[] = []
    for (const [round, next] of ['second', 'third', 'node'].entries()) {
      const heir = start(next)
      const id = await world.propose(manifest(`kill-the-leader-${round}`), [world.pools.pay])
      await world.approve(id, [world.pools.pay])
      await world.pay(id)
      await until('in the job', async () => {
        const { state } = (await ask(`${leader.url}/v1/jobs/${id}`)) as { state: string }
        return ['waiting', 'running', 'charged'].includes(state)
      })
      leader.child.kill('SIGKILL')
      const began = Date.now()
      leader = { ...heir, url: await heir.leads }
      await until(
        'settled',
        async () => ((await ask(`${leader.url}/v1/jobs/${id}`)) as { state: string }).state === 'settled',
      )
      recoveries.push(Date.now() - began)
      const events = await getJobEvents(world.client, { deployment: world.deployment, jobId: id })
      expect(events.filter(({ name }) => name === 'JobReleased')).toHaveLength(1)
      const { sequence } = await readContract(world.client, {
        address: world.market.anchors,
        abi: anchorsAbi,
        functionName: 'budgetOf',
        args: [world.pools.pay.pool],
      })
      expect(Number(sequence)).toBe(round + 1)
    }
    process.stdout.write(`leader killed in a job: settled again after ${recoveries.join(', ')} ms\n`)
    // The contract gives a job to another node after an hour of silence: far within it is what matters here.
    expect(Math.max(...recoveries)).toBeLessThan(120_000)
  })
})
