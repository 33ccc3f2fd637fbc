/** A migration of two real processes, either of which is killed with SIGKILL at each of its steps. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { setMeasurement } from '@sealpool/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backupNode } from '../backup/backup-node.js'
import { restoreNode } from '../backup/restore-node.js'
import { openSimulator, simulatedPlatform, simulatorFile } from '../evidence/simulator-quote-provider.js'
import { developmentKeyFile } from '../key/development-key-release.js'
import { platformRandom } from '../platform.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { type RecordingProxy, recordingProxy } from '../testing/recording-proxy.js'
import { loadConfig } from './load-config.js'

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const image = { evidence: { provider: 'simulator', image: 'release 2' } }

describe('two nodes, either of which is killed in a migration', { timeout: 400_000 }, () => {
  const running = new Map<string, { readonly child: ChildProcess; readonly ended: Promise<number | null> }>()
  const urls = new Map<string, string>()
  let world: PoolWorld
  let proxy: RecordingProxy
  let oldRoot: string

  const at = (...names: readonly string[]) => join(world.folder, ...names)
  const write = async (name: string, change: object) => {
    const settings = JSON.parse(await readFile(world.config, 'utf8')) as object
    const peers = { evidencePolicy: { ...world.attestation, measurements: [] } }
    await writeFile(
      at(`${name}.json`),
      JSON.stringify({ ...settings, dataDirectory: name, peers, ...change }),
    )
  }
  const loaded = (name: string) =>
    loadConfig({ config: at(`${name}.json`) }, { SEALPOOL_TRANSACTION_KEY: world.transactionKey })
  const begin = (name: string, args: readonly string[]) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', SEALPOOL_TRANSACTION_KEY: world.transactionKey },
    })
    let errors = ''
    child.stderr?.on('data', (part: Buffer) => {
      errors = (errors + part.toString()).slice(-4_000)
    })
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    running.set(name, { child, ended })
    return { child, ended, errors: () => errors }
  }
  /** @returns its address, or how it ended */
  const start = async (name: string): Promise<string> => {
    const { child, ended, errors } = begin(name, ['start', '--config', at(`${name}.json`)])
    if (child.stdout === null) throw new Error('no output')
    const lines = createInterface({ input: child.stdout })
    const line = new Promise<string>((resolve) => lines.once('line', resolve))
    const first = await Promise.race([line, ended.then(() => undefined)])
    if (first === undefined) return errors()
    const { url } = JSON.parse(first) as { url: string }
    urls.set(name, url)
    if (name === 'node') proxy.target = url
    return url
  }
  const kill = async (name: string): Promise<void> => {
    const one = running.get(name)
    running.delete(name)
    if (one === undefined || one.child.exitCode !== null || one.child.signalCode !== null) return
    const gone = once(one.child, 'exit')
    one.child.kill('SIGKILL')
    await gone
  }
  /** Asks for the keys, through the proxy. */
  const migrate = () => begin('migrate', ['migrate', '--config', at('new.json'), '--from', proxy.url])
  const reasons = async (name: string) =>
    ((await ask(`${urls.get(name)}/v1/ready`)) as { reasons: readonly string[] }).reasons
  const works = (name: string) =>
    until(`${name} works`, async () => running.has(name) && (await reasons(name)).length === 0)
  const has = async (name: string) => readFile(at(name, developmentKeyFile), 'utf8').catch(() => '')

  beforeAll(async () => {
    world = await poolWorld({ workers: 2 })
    proxy = await recordingProxy()
    await mkdir(at('new'))
    await cp(join(world.data, simulatorFile), at('new', simulatorFile))
    await write('node', {})
    await write('new', image)
    await start('node')
    await world.register(urls.get('node') ?? '')
    await works('node')
    await kill('node')
    oldRoot = await has('node')
    const { child, ended } = begin('migrate', ['migrate', '--config', at('new.json')])
    let printed = ''
    child.stdout?.on('data', (part: Buffer) => {
      printed += part.toString()
    })
    expect(await ended).toBe(0)
    const { migration } = JSON.parse(printed) as { migration: { measurement: `0x${string}` } }
    const { measurement } = migration
    await setMeasurement(world.client, { deployment: world.deployment, measurement, allowed: true })
    await write('node', { migration })
    await start('node')
    await works('node')
  }, 200_000)
  afterAll(async () => {
    for (const name of [...running.keys()]) await kill(name)
    await proxy?.close()
    await world?.close()
  })

  /** Kills somebody at a sealed call of the migration: the first one asks for a nonce, the second one for the keys. */
  const killAt = async (who: 'node' | 'migrate', moment: 'asked' | 'given'): Promise<void> => {
    let calls = 0
    let killed: Promise<void> | undefined
    const isIt = (path: string) => path === '/v1/sealed' && calls === 2 && killed === undefined
    const cut = async () => {
      killed = kill(who)
      await killed
      return null
    }
    proxy.before = async (body, path) => {
      if (path === '/v1/sealed') calls += 1
      return moment === 'asked' && isIt(path) ? cut() : body
    }
    proxy.after = async (path) => !(moment === 'given' && isIt(path)) || (await cut()) !== null
    const { ended } = migrate()
    expect(await ended).not.toBe(0)
    expect(killed).toBeDefined()
    Object.assign(proxy, { before: async (body: Uint8Array) => body, after: async () => true })
  }

  it('asked: the old one works on, the new one has nothing', async () => {
    await killAt('migrate', 'asked')
    await works('node')
    await killAt('node', 'asked')
    await start('node')
    await works('node')
    expect(await has('new')).not.toBe(oldRoot)
  })

  it('given: the old one works no more, also after it was started anew, and gives again', async () => {
    for (const who of ['migrate', 'node'] as const) {
      await killAt(who, 'given')
      if (who === 'node') await start('node')
      expect(await reasons('node')).toEqual([expect.stringContaining('KEYS_MOVED')])
      expect(await has('new')).not.toBe(oldRoot)
    }
  })

  it('installed: the new one has the keys for good, and may ask again', async () => {
    const { ended } = migrate()
    await until('installed', async () => (await has('new')) === oldRoot)
    await kill('migrate')
    await ended
    await kill('node')
    await start('node')
    expect(await reasons('node')).toEqual([expect.stringContaining('KEYS_MOVED')])
    expect(await migrate().ended).toBe(0)
    expect(await has('new')).toBe(oldRoot)
  })

  it('registered: the new one alone works, whoever is started anew', async () => {
    await backupNode({ ...(await loaded('node')), to: at('moved.backup') })
    await restoreNode({ ...(await loaded('new')), from: at('moved.backup'), checkpoint: null })
    await start('new')
    const idle = ['the node is not registered on the chain']
    await until('the new one waits', async () => (await reasons('new')).join() === idle.join())
    expect(await reasons('node')).toEqual([expect.stringContaining('KEYS_MOVED')])
    await world.devnet.advanceTime(10)
    const simulator = openSimulator({ directory: world.data, random: platformRandom, at: new Date() })
    const { mrTd } = simulatedPlatform(simulator, 'release 2')
    const measurements = [{ name: 'release 2', mrTd }]
    await world.register(urls.get('new') ?? '', { ...world.attestation, measurements })
    await works('new')
    for (const name of ['new', 'node']) await kill(name)
    expect(await start('node')).toContain('KEYS_MOVED')
    await start('new')
    await works('new')
  })
})
