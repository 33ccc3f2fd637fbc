import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { dataRegistryAbi, invoke } from '@sealpool/contracts'
import { deriveKeyPair, encodeBase64Url, type JsonValue, platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { developmentKeyFile } from '../key/development-key-release.js'
import { nodeLogger } from '../runtime/logger.js'
import { type RunningNode, startNode } from '../runtime/start-node.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { type PostgresServer, postgresPrograms, startPostgres } from '../testing/postgresql-server.js'
import { backupNode } from './backup-node.js'
import { restoreNode } from './restore-node.js'
import { unfinishedRestore } from './unfinished-restore.js'

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const log = nodeLogger({ level: 'silent', simulated: true })
const resultKeys = deriveKeyPair(platformRandom(32))

let world: PoolWorld
let node: RunningNode | undefined
let server: PostgresServer | undefined
let database = ''

/** Settings of the world's node in a data folder of that name. */
async function settingsOf(data: string, change: object = {}) {
  const path = join(world.folder, `${data}.json`)
  const settings = JSON.parse(await readFile(world.config, 'utf8'))
  await writeFile(path, JSON.stringify({ ...settings, dataDirectory: data, ...change }))
  const loaded = await loadConfig(
    { config: path },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey, SEALPOOL_DATABASE_URL: database },
  )
  return { ...loaded, path }
}
const onServer = (name: string) => ({
  state: { kind: 'postgresql', group: 'restored', tablesDirectory: `${name}-tables` },
})
/** An empty data folder with the node's own secrets. */
async function emptyFolder(name: string): Promise<string> {
  const folder = join(world.folder, name)
  await mkdir(folder)
  for (const file of [developmentKeyFile, simulatorFile]) await cp(join(world.data, file), join(folder, file))
  return folder
}
const file = (name: string) => join(world.folder, `${name}.backup`)
const backup = async (name: string, settings = settingsOf('node')) =>
  backupNode({ ...(await settings), to: file(name) })
const start = async (settings = settingsOf('node')): Promise<RunningNode> => {
  const { config, secrets } = await settings
  node = await startNode(config, secrets, { log })
  const { url } = node
  await until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
  return node
}
const stop = async (): Promise<void> => {
  await node?.stop()
  node = undefined
}
const refined = async (url: string) =>
  ((await ask(`${url}/v1/contributions`)) as { states: Record<string, number> }).states['refined']

/** Has a job decided, paid and settled. */
async function settle(url: string, salt: string): Promise<bigint> {
  const { pay } = world.pools
  const manifest = {
    format: 'sealpool/job-manifest',
    version: 1,
    kind: 'query',
    title: 'Test',
    pools: [{ address: pay.pool, name: 'pay' }],
    query: { sql: 'SELECT count(*) AS n FROM pay.workers' },
    compute: null,
    privacy: { epsilon: 1, delta: 0 },
    consumer: {
      address: world.consumer,
      resultKey: { kem: 'x25519', publicKey: encodeBase64Url(resultKeys.publicKey) },
    },
    purpose: 'research',
    salt,
  } as JsonValue
  const id = await world.propose(manifest, [pay])
  await world.approve(id, [pay])
  await world.pay(id)
  await until(
    `job ${id}`,
    async () => ((await ask(`${url}/v1/jobs/${id}`)) as { state: string }).state === 'settled',
  )
  return id
}

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('build the package first: npm run build -- enclave-node')
  world = await poolWorld({ workers: 4 })
  if (postgresPrograms !== undefined) {
    server = await startPostgres(postgresPrograms)
    database = await server.database('restored')
  }
  const { config, secrets } = await settingsOf('node')
  node = await startNode(config, secrets, { log })
  await world.register(node.url)
}, 180_000)
afterAll(async () => {
  await stop()
  await server?.stop()
  await world?.close()
})

describe('backup and restore', { timeout: 300_000 }, () => {
  let job: bigint
  let spent: unknown
  let contributions: readonly string[]

  it('of a folder where no node worked says so, and makes no secret there', async () => {
    await mkdir(join(world.folder, 'nobody'))
    await expect(backup('nobody', settingsOf('nobody'))).rejects.toMatchObject({ code: 'BACKUP_FAILED' })
    expect(await readdir(join(world.folder, 'nobody'))).toEqual([])
  })

  it('takes a backup of a node that works, for its owner alone, and over no other file', async () => {
    const url = node?.url ?? ''
    await until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
    const exports = [0, 1, 2, 3].map((worker) => ({
      pool: world.pools.pay,
      worker,
      bytes: world.payExport(worker),
    }))
    contributions = await world.contribute(url, exports)
    await until('refined', async () => (await refined(url)) === 4)
    const early = await backup('early')
    expect(early).toMatchObject({ files: 2, commit: expect.any(Number) })
    expect((await stat(file('early'))).mode & 0o777).toBe(0o600)
    const bytes = await readFile(file('early'))
    expect(bytes.includes('"sector"')).toBe(false)
    expect(bytes.includes(await readFile(join(world.data, developmentKeyFile)))).toBe(false)
    await expect(backup('early')).rejects.toMatchObject({ code: 'BACKUP_FAILED' })
    expect(await readFile(file('early'))).toEqual(bytes)
    expect((await readdir(world.folder)).filter((name) => name.endsWith('.part'))).toEqual([])
    job = await settle(url, 'before-the-backup-abc')
    await writeFile(file('checkpoint'), await (await fetch(`${url}/v1/log/checkpoint`)).text())
    const late = await backup('late')
    expect(late.commit).toBeGreaterThan(early.commit)
    spent = ((await ask(`${url}/v1/jobs/${job}/receipt`)) as { receipt: unknown }).receipt
    await stop()
    expect(await backup('stopped')).toMatchObject({ files: 2 })
  })

  it('refuses a backup that is older than the chain, and leaves nothing of it', async () => {
    const folder = await emptyFolder('old')
    await expect(
      restoreNode({ ...(await settingsOf('old')), from: file('early'), checkpoint: null }),
    ).rejects.toMatchObject({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringContaining('version 1'),
    })
    expect((await readdir(folder)).sort()).toEqual([developmentKeyFile, simulatorFile].sort())
    const checkpoint = await readFile(file('checkpoint'), 'utf8')
    await expect(
      restoreNode({ ...(await settingsOf('old')), from: file('early'), checkpoint }),
    ).rejects.toMatchObject({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringContaining('has told 1 entries of its log and this state holds 0'),
    })
  })

  it('refuses one that was altered or cut off, or is of another node, and leaves nothing of it', async () => {
    const folder = await emptyFolder('bad')
    const settings = await settingsOf('bad')
    const bytes = await readFile(file('late'))
    const middle = Uint8Array.from(bytes)
    middle[bytes.length >> 1] = (middle[bytes.length >> 1] ?? 0) ^ 1
    for (const spoiled of [middle, bytes.subarray(0, -1), bytes.subarray(0, bytes.length >> 1)]) {
      await writeFile(file('spoiled'), spoiled)
      await expect(
        restoreNode({ ...settings, from: file('spoiled'), checkpoint: null }),
      ).rejects.toMatchObject({
        code: 'BACKUP_INVALID',
      })
    }
    for (const from of [folder, file('nowhere')])
      await expect(restoreNode({ ...settings, from, checkpoint: null })).rejects.toMatchObject({
        code: 'BACKUP_INVALID',
        place: from,
      })
    expect((await readdir(folder)).sort()).toEqual([developmentKeyFile, simulatorFile].sort())
    const secret = JSON.parse(await readFile(join(folder, developmentKeyFile), 'utf8'))
    await writeFile(
      join(folder, developmentKeyFile),
      JSON.stringify({ ...secret, secret: `0x${'77'.repeat(32)}` }),
    )
    await expect(restoreNode({ ...settings, from: file('late'), checkpoint: null })).rejects.toMatchObject({
      code: 'STATE_OF_ANOTHER_NODE',
    })
  })

  it('refuses a folder with anything in it, and one without the node’s secrets', async () => {
    await expect(
      restoreNode({ ...(await settingsOf('node')), from: file('late'), checkpoint: null }),
    ).rejects.toMatchObject({
      code: 'STATE_NOT_EMPTY',
    })
    expect(existsSync(join(world.data, 'pglite'))).toBe(true)
    const folder = await emptyFolder('strange')
    await writeFile(join(folder, 'notes.txt'), 'mine')
    await expect(
      restoreNode({ ...(await settingsOf('strange')), from: file('late'), checkpoint: null }),
    ).rejects.toMatchObject({
      code: 'STATE_NOT_EMPTY',
    })
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine')
    await expect(
      restoreNode({ ...(await settingsOf('bare')), from: file('late'), checkpoint: null }),
    ).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
    })
    expect(await readdir(join(world.folder, 'bare'))).toEqual([])
  })

  it('killed in the middle leaves nothing that a node starts on, and is run again', async () => {
    const folder = await emptyFolder('killed')
    const settings = await settingsOf('killed')
    const env = { PATH: process.env['PATH'] ?? '', SEALPOOL_TRANSACTION_KEY: world.transactionKey }
    const words = [
      program,
      'restore',
      '--config',
      settings.path,
      '--from',
      file('late'),
      '--checkpoint',
      file('checkpoint'),
    ]
    let unfinished = 0
    for (const extraMs of [0, 1_200]) {
      const child = spawn(process.execPath, words, { stdio: 'ignore', env })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      await until(
        'it began',
        async () => existsSync(join(folder, unfinishedRestore)) || child.exitCode !== null,
      )
      await new Promise((resolve) => setTimeout(resolve, extraMs))
      child.kill('SIGKILL')
      await ended
      if (!existsSync(join(folder, unfinishedRestore))) continue
      unfinished += 1
      await expect(startNode(settings.config, settings.secrets, { log })).rejects.toMatchObject({
        code: 'STATE_UNREADABLE',
      })
    }
    expect(unfinished).toBeGreaterThan(0)
    if (existsSync(join(folder, unfinishedRestore)) || !existsSync(join(folder, 'pglite'))) {
      const { stdout } = await promisify(execFile)(process.execPath, words, { env })
      expect(JSON.parse(stdout)).toMatchObject({ restored: file('late'), files: 2 })
    }
    const { url } = await start(settingsOf('killed'))
    expect(await refined(url)).toBe(4)
    expect(await ask(`${url}/v1/jobs/${job}/receipt`)).toMatchObject({ receipt: spent })
    const audit = await readFile(join(folder, 'audit.jsonl'), 'utf8')
    expect(audit).not.toContain('log-lost')
    // It goes on where it stood: the tables are there, the budget is, and the chain takes its anchor.
    await settle(url, 'after-the-restore-abc')
    await stop()
  })

  it.skipIf(postgresPrograms === undefined)(
    'walks between the embedded store and a group’s server, whose node works on meanwhile',
    async () => {
      await backup('moving', settingsOf('killed'))
      await emptyFolder('grouped')
      const grouped = () => settingsOf('grouped', onServer('grouped'))
      expect(
        await restoreNode({ ...(await grouped()), from: file('moving'), checkpoint: null }),
      ).toMatchObject({ files: 2 })
      const { url } = await start(grouped())
      expect(await refined(url)).toBe(4)
      expect(await backup('of-group', grouped())).toMatchObject({ files: 2 })
      // A database that is in use takes no backup in.
      await emptyFolder('other')
      await expect(
        restoreNode({
          ...(await settingsOf('other', onServer('other'))),
          from: file('of-group'),
          checkpoint: null,
        }),
      ).rejects.toMatchObject({ code: 'STATE_LOCKED' })
      await stop()
      await expect(
        restoreNode({
          ...(await settingsOf('other', onServer('other'))),
          from: file('moving'),
          checkpoint: null,
        }),
      ).rejects.toMatchObject({ code: 'STATE_NOT_EMPTY' })
      await emptyFolder('back')
      await restoreNode({ ...(await settingsOf('back')), from: file('of-group'), checkpoint: null })
      expect(existsSync(join(world.folder, 'back', 'pglite'))).toBe(true)
    },
  )

  it('brings nothing back that its owner took back after the backup was made', async () => {
    await backup('before-a-withdrawal', settingsOf('killed'))
    const [first = ''] = contributions
    await invoke(await world.workerWallet(0), {
      address: world.deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'withdraw',
      args: [BigInt(first)],
    })
    const folder = await emptyFolder('again')
    const settings = settingsOf('again')
    await restoreNode({ ...(await settings), from: file('before-a-withdrawal'), checkpoint: null })
    const tables = join(folder, 'tables', world.pools.pay.pool)
    const restored = await readdir(tables)
    expect(restored.length).toBeGreaterThan(0)
    const { url } = await start(settings)
    await until('it is taken out again', async () => (await refined(url)) === 3)
    expect(await ask(`${url}/v1/contributions/${first}`)).toMatchObject({ state: 'withdrawn', verdict: null })
    await until('its rows are gone', async () =>
      (await readdir(tables)).every((name) => !restored.includes(name)),
    )
    await stop()
  })
})
