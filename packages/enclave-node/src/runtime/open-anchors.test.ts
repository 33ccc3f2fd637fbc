import { copyFile, cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backupNode } from '../backup/backup-node.js'
import { restoreNode } from '../backup/restore-node.js'
import { loadConfig } from '../cli/load-config.js'
import { type NodeConfig, parseNodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { developmentKeyFile, developmentKeyRelease } from '../key/development-key-release.js'
import { openKeyRing } from '../key/key-ring.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { type RecordingProxy, recordingProxy } from '../testing/recording-proxy.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })

let world: PoolWorld
let secrets: NodeSecrets
let front: RecordingProxy
let behind: RecordingProxy
const running = new Map<string, RunningNode>()
/** Settings of the node whose state is remembered, in a data folder, and of the one that remembers it. */
let nodeIn: (data: string) => NodeConfig
let keeper: NodeConfig

const addressIn = async (directory: string) =>
  openKeyRing(await developmentKeyRelease({ directory }).release(), digestOfDigit('1')).statementAddress

beforeAll(async () => {
  world = await poolWorld({ workers: 2 })
  const loaded = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  secrets = loaded.secrets
  front = await recordingProxy()
  behind = await recordingProxy()
  const keeping = join(world.folder, 'keeping')
  await mkdir(keeping)
  await copyFile(join(world.data, simulatorFile), join(keeping, simulatorFile))
  const { config } = loaded
  const settings = (change: object) =>
    parseNodeConfig({ ...config, peers: { evidencePolicy: world.attestation }, ...change })
  keeper = settings({
    dataDirectory: keeping,
    pools: [],
    api: { ...config.api, port: 0, publicUrl: behind.url },
    anchors: { keeps: [{ address: await addressIn(world.data), url: front.url }] },
  })
  const nodes = [{ address: await addressIn(keeping), url: behind.url }]
  nodeIn = (dataDirectory) =>
    settings({
      dataDirectory,
      api: { ...config.api, port: 0, publicUrl: front.url },
      anchors: { peers: { nodes, required: 1, seconds: 1 } },
    })
}, 120_000)
afterAll(async () => {
  for (const node of running.values()) await node.stop()
  await front.close()
  await behind.close()
  await world?.close()
})

const started = async (name: 'node' | 'keeper', config: NodeConfig): Promise<RunningNode> => {
  const node = await startNode(config, secrets, { log })
  running.set(name, node)
  const proxy = name === 'node' ? front : behind
  proxy.target = node.url
  return node
}
const stopped = async (name: 'node' | 'keeper'): Promise<void> => {
  await running.get(name)?.stop()
  running.delete(name)
}
const standing = async ({ url }: RunningNode) =>
  (await ask(`${url}/v1/ready`)) as { ready: boolean; reasons: string[]; notes: string[] }
const ready = (node: RunningNode) => until('ready', async () => (await standing(node)).ready)
const figure = async ({ url }: RunningNode, name: string) =>
  Number(
    new RegExp(`^sealpool_${name} (\\d+)$`, 'm').exec(await (await fetch(`${url}/v1/metrics`)).text())?.[1],
  )
/** Whether a peer has seen all that the node's state has come to. */
const seen = async (node: RunningNode) => (await figure(node, 'state_commits_unseen')) === 0
/** Has a worker contribute, and waits until the keeper has seen what came of it. */
const contributed = async (node: RunningNode, worker: number) => {
  const exports = [{ pool: world.pools.pay, worker, bytes: world.payExport(worker) }]
  await world.contribute(node.url, exports)
  await until('refined', async () => {
    const { states } = (await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }
    return states['refined'] === worker + 1
  })
  await until('told', () => seen(node))
}
const folder = (name: string) => join(world.folder, name)

describe('a node whose state another one remembers', { timeout: 240_000 }, () => {
  it('refuses an old disk that the chain cannot tell from the newest, and names the version', async () => {
    await world.register((await started('keeper', keeper)).url)
    const node = await started('node', nodeIn(world.data))
    await world.register(node.url)
    await ready(node)
    await contributed(node, 0)
    await backupNode({ config: nodeIn(world.data), secrets, to: folder('backup') })
    await stopped('node')
    await cp(world.data, folder('old'), { recursive: true })
    const again = await started('node', nodeIn(world.data))
    await ready(again)
    await contributed(again, 1)
    await stopped('node')
    await expect(started('node', nodeIn(folder('old')))).rejects.toMatchObject({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringMatching(
        /has seen version \d+ of line 0 .* is older: it has version \d+ of line 0/,
      ),
    })
  })

  it('waits for the other one where the settings ask for its word, and works when it is back', async () => {
    await stopped('keeper')
    const node = await started('node', nodeIn(world.data))
    // Beside what else it waits for in its first moments.
    await until('its peers are silent', async () =>
      (await standing(node)).reasons.some((reason) => reason.includes('PEERS_SILENT: 0 of 1')),
    )
    expect(await (await fetch(`${node.url}/v1/pools`)).json()).toMatchObject({
      error: { code: 'STATE_UNCONFIRMED' },
    })
    await started('keeper', keeper)
    await ready(node)
    await stopped('node')
  })

  it('goes on from a backup that is restored by order, and no disk from before does', async () => {
    const data = folder('restored')
    await mkdir(data)
    for (const file of [developmentKeyFile, simulatorFile])
      await copyFile(join(world.data, file), join(data, file))
    const config = nodeIn(data)
    await restoreNode({ config, secrets, from: folder('backup'), checkpoint: null })
    const node = await started('node', config)
    await ready(node)
    await until('told', () => seen(node))
    await stopped('node')
    await expect(started('node', nodeIn(world.data))).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
  })
})
