import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { getJobEvents } from '@sealpool/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, until } from '../testing/ask.js'
import { type HandOffWorld, handOffWorld, runnerFolder } from '../testing/hand-off-world.js'
import { type RecordingProxy, recordingProxy } from '../testing/recording-proxy.js'

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
/**
 * At which sealed call who is killed. A hand-off begins with about four of them (a call that is asked to sign in, the sign-in, the
 * call again), then how it stands, its files, two chunks, how it stands, the answer, the end. `SEALPOOL_LONG=1` kills at more of them.
 */
const kills: readonly (readonly ['home' | 'runner', number])[] =
  process.env['SEALPOOL_LONG'] === undefined
    ? [
        ['home', 7],
        ['runner', 8],
      ]
    : (['home', 'runner'] as const).flatMap((who) =>
        [1, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((at) => [who, at] as const),
      )

describe('two nodes, of which one is killed in a hand-off', { timeout: 600_000 }, () => {
  const children = new Map<string, ChildProcess>()
  const urls = new Map<string, string>()
  let here: HandOffWorld
  let proxy: RecordingProxy
  let own: unknown

  const start = async (name: 'home' | 'runner'): Promise<void> => {
    const child = spawn(
      process.execPath,
      [program, 'start', '--config', join(here.world.folder, `${name}.json`)],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'] ?? '', SEALPOOL_TRANSACTION_KEY: here.world.transactionKey },
      },
    )
    child.stderr?.resume()
    children.set(name, child)
    if (child.stdout === null) throw new Error('no output')
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    const { url } = JSON.parse(line) as { url: string }
    urls.set(name, url)
    if (name === 'runner') proxy.target = url
  }
  const kill = async (name: 'home' | 'runner'): Promise<void> => {
    const child = children.get(name)
    if (child === undefined) throw new Error('not started')
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  const home = (): string => urls.get('home') ?? ''
  const settled = (id: bigint): Promise<void> =>
    until(`job ${id} settled`, async () => (await here.job(home(), id)).state === 'settled', 200_000)

  beforeAll(async () => {
    here = await handOffWorld()
    proxy = await recordingProxy()
    const settings = JSON.parse(await readFile(here.world.config, 'utf8'))
    const data = await runnerFolder(here.world)
    const homeSettings = { ...settings, handOff: { nodes: [proxy.url], patienceSeconds: 60 } }
    const runnerSettings = {
      ...settings,
      dataDirectory: data,
      pools: [],
      api: { ...settings.api, publicUrl: proxy.url },
      serveHandOff: {},
    }
    await writeFile(join(here.world.folder, 'home.json'), JSON.stringify(homeSettings))
    await writeFile(join(here.world.folder, 'runner.json'), JSON.stringify(runnerSettings))
    await start('runner')
    await start('home')
    for (const name of ['runner', 'home'] as const) {
      const url = urls.get(name) ?? ''
      await here.world.register(url)
      await until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
    }
    await here.fill(home())
    const id = await here.paid(here.manifest())
    await settled(id)
    own = await here.answer(home(), id)
  }, 300_000)
  afterAll(async () => {
    for (const child of children.values()) child.kill('SIGKILL')
    await proxy?.close()
    await here?.world.close()
  })

  it.each(kills)(
    '%s at sealed call %i: one charge, one release, and the answer of the home node itself',
    async (who, at) => {
      let calls = 0
      let killed: Promise<void> | undefined
      proxy.before = async (body, path) => {
        if (path !== '/v1/sealed' || killed !== undefined) return body
        calls += 1
        if (calls < at) return body
        killed = kill(who)
        await killed
        return null
      }
      const id = await here.paid(here.manifest({ handOff: here.handOff() }))
      await until(`${who} killed`, async () => killed !== undefined)
      await killed
      await start(who)
      await settled(id)
      expect(await here.answer(home(), id)).toEqual(own)
      const { receipt } = await here.job(home(), id)
      expect(receipt?.statement.body['handOff']).toBeDefined()
      const events = await getJobEvents(here.world.client, { deployment: here.world.deployment, jobId: id })
      expect(events.filter(({ name }) => name === 'JobReleased')).toHaveLength(1)
      // Nothing of the job is left at home.
      expect(await readdir(join(here.world.folder, 'node', 'tables', 'hand-off'))).not.toContain(String(id))
    },
  )

  it('and nothing of it was readable on the way or on the runner’s disk', async () => {
    const wire = Buffer.concat(proxy.seen)
    const files = await readdir(join(here.world.folder, 'runner'), { recursive: true, withFileTypes: true })
    const disk = await Promise.all(
      files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name))),
    )
    // Names of columns, of tables and of what a leash holds; wages of the workers as they were exported.
    for (const canary of ['mean_wage', 'pay.workers', 'tableKey', '"wage":1', 'pseudonyms']) {
      expect(wire.includes(canary), canary).toBe(false)
      expect(
        disk.some((bytes) => bytes.includes(canary)),
        canary,
      ).toBe(false)
    }
  })
})
