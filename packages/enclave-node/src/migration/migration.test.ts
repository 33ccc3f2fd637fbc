import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setMeasurement } from '@sealpool/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backupNode } from '../backup/backup-node.js'
import { restoreNode } from '../backup/restore-node.js'
import { loadConfig } from '../cli/load-config.js'
import { openSimulator, simulatedPlatform, simulatorFile } from '../evidence/simulator-quote-provider.js'
import { developmentKeyFile } from '../key/development-key-release.js'
import { platformRandom } from '../platform.js'
import { nodeLogger } from '../runtime/logger.js'
import { type RunningNode, startNode } from '../runtime/start-node.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { awaitingMark } from './awaiting-folder.js'
import { takeOver } from './take-over.js'

const log = nodeLogger({ level: 'silent', simulated: true })
let world: PoolWorld
let anyCode: object
const running: RunningNode[] = []
/** What the operator of each node has changed in its settings. */
const changes: Record<string, object> = {}

const settingsOf = async (name: string, change: object = {}) => {
  const path = join(world.folder, `${name}.json`)
  const settings = JSON.parse(await readFile(world.config, 'utf8')) as object
  const own = { dataDirectory: name, peers: { evidencePolicy: anyCode }, ...changes[name], ...change }
  await writeFile(path, JSON.stringify({ ...settings, ...own }))
  return loadConfig({ config: path }, { SEALPOOL_TRANSACTION_KEY: world.transactionKey })
}
const start = async (name: string): Promise<RunningNode> => {
  const { config, secrets } = await settingsOf(name)
  const node = await startNode(config, secrets, { log })
  running.push(node)
  return node
}
const stop = async (node: RunningNode): Promise<void> => {
  running.splice(running.indexOf(node), 1)
  await node.stop()
}
const reasons = async ({ url }: RunningNode): Promise<readonly string[]> =>
  ((await ask(`${url}/v1/ready`)) as { reasons: readonly string[] }).reasons
const ready = ({ url }: RunningNode) =>
  until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
const refusal = async (url: string, path: string) =>
  ((await ask(`${url}${path}`)) as { error?: { code: string } }).error?.code
const contributed = async ({ url }: RunningNode, workers: readonly number[], total: number) => {
  await world.contribute(
    url,
    workers.map((worker) => ({ pool: world.pools.pay, worker, bytes: world.payExport(worker) })),
  )
  await until('refined', async () => {
    const { states } = (await ask(`${url}/v1/contributions`)) as { states: Record<string, number> }
    return states['refined'] === total
  })
}
const takes = async (name: string, from?: string, more: object = {}) =>
  takeOver({ ...(await settingsOf(name)), from, ...more })
const refused = (code: string) => ({
  code: 'MIGRATION_REFUSED',
  message: expect.stringContaining(code) as string,
})

beforeAll(async () => {
  world = await poolWorld({ workers: 4 })
  anyCode = { ...world.attestation, measurements: [] }
  const image = { evidence: { provider: 'simulator', image: 'release 2' } }
  Object.assign(changes, { new: image, other: image, again: { ...image, instance: 'again' } })
  for (const name of ['new', 'other', 'again']) {
    await mkdir(join(world.folder, name))
    // One simulated maker of machines; the images differ.
    await cp(join(world.data, simulatorFile), join(world.folder, name, simulatorFile))
  }
}, 120_000)
afterAll(async () => {
  for (const node of running.splice(0)) await node.stop()
  await world?.close()
})

describe('an upgraded image', { timeout: 240_000 }, () => {
  const simulator = () => openSimulator({ directory: world.data, random: platformRandom, at: new Date() })
  const backupPath = () => join(world.folder, 'before.backup')
  let old: RunningNode
  let successor: RunningNode

  it('is given nothing by a node whose settings name no successor', async () => {
    old = await start('node')
    await world.register(old.url)
    await ready(old)
    await contributed(old, [0, 1], 2)
    await backupNode({ ...(await settingsOf('node')), to: backupPath() })
    await expect(takes('new', old.url)).rejects.toMatchObject(refused('MIGRATION_NOT_OPEN'))
    expect(await reasons(old)).toEqual([])
  })

  it('is given nothing before the chain allows it, nor by anybody but the node that it was registered as', async () => {
    await stop(old)
    // The folder of a node of a group has no tables; its root is in use all the same.
    await mkdir(join(world.folder, 'used'))
    for (const file of [developmentKeyFile, simulatorFile])
      await cp(join(world.data, file), join(world.folder, 'used', file))
    await expect(takes('used', old.url)).rejects.toMatchObject({ code: 'STATE_NOT_EMPTY' })
    await writeFile(join(world.data, awaitingMark), '')
    const { migration } = await takes('new')
    expect(migration.measurement).toBe(simulatedPlatform(simulator(), 'release 2').measurement)
    changes['node'] = { migration }
    old = await start('node')
    expect(existsSync(join(world.data, awaitingMark))).toBe(false)
    await ready(old)
    await expect(takes('new', old.url)).rejects.toMatchObject(refused('MIGRATION_NOT_ATTESTED'))
    const { measurement } = migration
    await setMeasurement(world.client, { deployment: world.deployment, measurement, allowed: true })
    // Another machine with the same image and settings is not the one that is named.
    await expect(takes('other', old.url)).rejects.toMatchObject(refused('MIGRATION_NOT_ATTESTED'))
    // Nor is one that would follow other rules, whatever it calls itself.
    await expect(
      takeOver({ ...(await settingsOf('new', { engine: { timeoutMs: 1_000 } })), from: old.url }),
    ).rejects.toMatchObject(refused('MIGRATION_SETTINGS'))
    expect(await reasons(old)).toEqual([])
  })

  it('leaves the keys with the old node when it is killed before it has asked', async () => {
    const killed = { onStep: (step: string) => step === 'asked' && fail() }
    await expect(takes('new', old.url, killed)).rejects.toThrow('killed')
    expect(await reasons(old)).toEqual([])
    await contributed(old, [2], 3)
  })

  it('ends the old node’s work before it has the keys, and gets them as often as it asks, whoever is killed in between', async () => {
    // The answer is lost on its way.
    const lost: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (init?.method !== 'POST') return response
      posts += 1
      if (posts < 2) return response
      throw new TypeError('killed')
    }
    let posts = 0
    await expect(takes('new', old.url, { fetch: lost })).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
    expect(await reasons(old)).toEqual([expect.stringContaining('KEYS_MOVED')])
    for (const path of ['/v1/pools', '/v1/jobs', '/v1/log/checkpoint'])
      expect(await refusal(old.url, path)).toBe('KEYS_MOVED')
    await stop(old)
    old = await start('node')
    expect(await reasons(old)).toEqual([expect.stringContaining('KEYS_MOVED')])
    const killed = { onStep: (step: string) => step === 'given' && fail() }
    await expect(takes('new', old.url, killed)).rejects.toThrow('killed')
    // Nobody else gets them now, also when the operator names another machine.
    await stop(old)
    const other = await takes('other')
    changes['node'] = { migration: other.migration }
    old = await start('node')
    await expect(takes('other', old.url)).rejects.toMatchObject(refused('MIGRATION_DONE'))
    await stop(old)
    changes['node'] = { migration: (await takes('new')).migration }
    old = await start('node')
    const taken = await takes('new', old.url)
    expect(taken).toMatchObject({ moved: true, statementKey: old.keySet.statement.address })
    expect(await takes('new', old.url)).toMatchObject({ moved: true, keySetDigest: taken.keySetDigest })
    const before = await readFile(join(world.data, developmentKeyFile), 'utf8')
    expect(await readFile(join(world.folder, 'new', developmentKeyFile), 'utf8')).toBe(before)
  })

  it('goes on where the old node ended, once the registry lists it, and not before', async () => {
    await backupNode({ ...(await settingsOf('node')), to: join(world.folder, 'after.backup') })
    await restoreNode({
      ...(await settingsOf('new')),
      from: join(world.folder, 'after.backup'),
      checkpoint: null,
    })
    expect(existsSync(join(world.folder, 'new', awaitingMark))).toBe(false)
    successor = await start('new')
    expect(successor.keySet.statement).toEqual(old.keySet.statement)
    await until('the chain is read', async () => (await reasons(successor)).length > 0)
    expect(await reasons(successor)).toEqual(['the node is not registered on the chain'])
    await world.devnet.advanceTime(10)
    const { mrTd } = simulatedPlatform(simulator(), 'release 2')
    const measurements = [{ name: 'release 2', mrTd }]
    await world.register(successor.url, { ...world.attestation, measurements })
    await ready(successor)
    await contributed(successor, [3], 4)
  })

  it('leaves an old node that refuses: to work, to start, and with a state from before', async () => {
    expect(await reasons(old)).toEqual([expect.stringContaining('KEYS_MOVED')])
    await expect(takes('other', old.url)).rejects.toMatchObject({ code: 'PEER_NOT_ATTESTED' })
    await stop(old)
    await expect(start('node')).rejects.toMatchObject({ code: 'KEYS_MOVED' })
    const folder = join(world.folder, 'rolled-back')
    await mkdir(folder)
    for (const file of [developmentKeyFile, simulatorFile])
      await cp(join(world.data, file), join(folder, file))
    await restoreNode({ ...(await settingsOf('rolled-back')), from: backupPath(), checkpoint: null })
    await expect(start('rolled-back')).rejects.toMatchObject({ code: 'KEYS_MOVED' })
  })
})

function fail(): never {
  throw new Error('killed')
}
