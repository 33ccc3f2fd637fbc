/** A committee of three processes, made with the commands that an operator has, and a node that lives on what they give it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { thresholdSessionDigest } from '@sealpool/crypto/threshold'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backupNode } from '../backup/backup-node.js'
import { restoreNode } from '../backup/restore-node.js'
import { configuredChain } from '../chain/configured-chain.js'
import type { MemberCard } from '../committee/member-card.js'
import { configDigest } from '../config/node-config.js'
import { openSimulator, simulatorFile } from '../evidence/simulator-quote-provider.js'
import { rootDigest } from '../key/key-broker.js'
import { awaitingMark } from '../migration/awaiting-folder.js'
import { platformRandom } from '../platform.js'
import { nodeLogger } from '../runtime/logger.js'
import { openPlatform } from '../runtime/open-platform.js'
import { type RunningNode, startNode } from '../runtime/start-node.js'
import { ask, until } from '../testing/ask.js'
import { startFakeBroker } from '../testing/fake-key-broker.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { readArguments } from './arguments.js'
import { type CommitteeStep, committeeStep } from './committee.js'
import { committeeCommands } from './committee-commands.js'
import { loadConfig } from './load-config.js'

type Flags = Readonly<Record<string, string | readonly string[]>>

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const members = ['member-0', 'member-1', 'member-2'] as const
const log = nodeLogger({ level: 'silent', simulated: true })

describe('a committee of three nodes, two of which are enough', { timeout: 300_000 }, () => {
  const running = new Map<string, ChildProcess>()
  const ports: number[] = []
  let world: PoolWorld
  let anyCode: object
  let sealed: { root: string; statementKey: string; keyRelease: object; committeeRoot: { configs: string[] } }
  let node: RunningNode | undefined

  const at = (name: string) => join(world.folder, name)
  const write = async (name: string, change: object) => {
    const settings = JSON.parse(await readFile(world.config, 'utf8')) as { pools: object[] }
    // The first to publish a pool's key serves it: the members must not be before the node that lives on them.
    const pools = settings.pools.slice(...(name.startsWith('member') ? [1, 2] : [0, 1]))
    const own = { dataDirectory: name, peers: { evidencePolicy: anyCode }, pools, ...change }
    await writeFile(at(`${name}.json`), JSON.stringify({ ...settings, ...own }))
    return loadConfig({ config: at(`${name}.json`) }, { SEALPOOL_TRANSACTION_KEY: world.transactionKey })
  }
  const folder = async (name: string) => {
    await mkdir(at(name), { recursive: true })
    await cp(join(world.data, simulatorFile), join(at(name), simulatorFile))
  }
  const start = async (name: string): Promise<void> => {
    const child = spawn(process.execPath, [program, 'start', '--config', at(`${name}.json`)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', SEALPOOL_TRANSACTION_KEY: world.transactionKey },
    })
    running.set(name, child)
    const errors: string[] = []
    child.stderr?.on('data', (text: Buffer) => errors.push(text.toString()))
    await new Promise<void>((resolve, reject) => {
      if (child.stdout === null) return
      createInterface({ input: child.stdout }).once('line', () => resolve())
      child.once('exit', () => reject(new Error(`${name} ended: ${errors.join('').slice(-2_000)}`)))
    })
  }
  const kill = async (name: string): Promise<void> => {
    const child = running.get(name)
    running.delete(name)
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  const url = (place: number) => `http://127.0.0.1:${ports[place]}`
  const askerSettings = (change: object = {}) => ({ keyRelease: sealed.keyRelease, ...change })
  const released = async (change: object = {}) => {
    const { config } = await write('asker', askerSettings(change))
    return rootDigest(await openPlatform(config).keyRelease.release())
  }
  /** A step by a node with the settings that it has had last, or with others. */
  const stepWith = async (name: string, change: object, kind: CommitteeStep, flags: Flags) => {
    const { config, secrets } = await write(name, change)
    const command = committeeCommands.find((one) => one.name === `committee ${kind}`)
    if (command === undefined) throw new Error('there is such a step')
    const words = Object.entries({ config: at(`${name}.json`), ...flags }).flatMap(([option, value]) =>
      [value].flat().flatMap((one) => [`--${option}`, one]),
    )
    const given = readArguments(words, command)
    return committeeStep(kind, config, given, () => configuredChain(config, secrets))
  }
  const step = (name: string, kind: CommitteeStep, flags: Flags) => stepWith(name, {}, kind, flags)
  const audited = async (name: string) => readFile(join(at(name), 'audit.jsonl'), 'utf8')

  beforeAll(async () => {
    world = await poolWorld({ workers: 2 })
    anyCode = { ...world.attestation, measurements: [] }
    for (const name of [...members, 'member-3', 'asker', 'fresh']) await folder(name)
    for (let place = 0; place < 4; place += 1) ports.push(await freePort())
  }, 120_000)
  afterAll(async () => {
    await node?.stop()
    for (const name of [...running.keys()]) await kill(name)
    await world?.close()
  })

  it('is made by commands of the program, which print what is public and say what is wrong', async () => {
    await write('member-0', {})
    const run = (...flags: string[]) =>
      spawnSync(process.execPath, [program, ...flags, '--config', at('member-0.json')], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', SEALPOOL_TRANSACTION_KEY: world.transactionKey },
      })
    const joined = run('committee', 'join', '--purpose', 'roots of 2026')
    expect(JSON.parse(joined.stdout)).toMatchObject({ format: 'sealpool/committee-member' })
    expect(run('committee', 'join').status).toBe(2)
    const absent = run('committee', 'deal', '--session', at('nothing.json'), '--messages', at('messages'))
    expect([absent.status, absent.stderr]).toEqual([2, expect.stringContaining('CONFIG_FILE_UNREADABLE')])
    const { address } = JSON.parse(joined.stdout) as { address: string }
    const used = run('migrate')
    expect([used.status, used.stderr]).toEqual([3, expect.stringContaining('STATE_NOT_EMPTY')])
    const migrate = run('migrate', '--data', at('heir'))
    expect(JSON.parse(migrate.stdout)).toMatchObject({ moved: false })
    expect(JSON.parse(migrate.stdout)).not.toMatchObject({ statementKey: address })
    const nobody = run('migrate', '--data', at('heir'), '--from', 'http://127.0.0.1:1')
    expect([nobody.status, nobody.stderr]).toEqual([3, expect.stringContaining('NODE_UNREACHABLE')])
  })

  it('is made by join, start, deal, check, conclude and seal, each of which refuses what is not right', async () => {
    const session = at('session.json')
    const messages = at('messages')
    await mkdir(messages)
    const addresses: string[] = []
    for (const name of members) {
      const card = (await step(name, 'join', { purpose: 'roots of 2026' })) as MemberCard
      addresses.push(card.address)
      await writeFile(at(`${name}.card`), JSON.stringify(card))
    }
    const cards = members.map((name) => at(`${name}.card`))
    const invalid = { code: 'COMMITTEE_INVALID' }
    const wish = { purpose: 'roots of 2026', member: cards, threshold: '2', to: session }
    await expect(step('asker', 'start', { ...wish, purpose: 'another' })).rejects.toMatchObject(invalid)
    await expect(step('asker', 'start', { ...wish, threshold: '4' })).rejects.toMatchObject(invalid)
    await expect(step('asker', 'start', { ...wish, member: cards.slice(1, 2) })).rejects.toMatchObject(
      invalid,
    )
    await step('asker', 'start', wish)
    const flags = { session, messages }
    await expect(step('asker', 'deal', flags)).rejects.toMatchObject(invalid)
    for (const name of members) {
      // A root that has dealt is one that is used: no migration may replace it.
      await writeFile(join(at(name), awaitingMark), '')
      await step(name, 'deal', flags)
      expect(existsSync(join(at(name), awaitingMark))).toBe(false)
    }
    // Killed between its two files: the one that is there is of no use.
    const [dealt] = (await readdir(messages)).filter((name) => name.startsWith('commitment-'))
    const own = members.find((_, place) => dealt?.includes(addresses[place] ?? '?'))
    await rm(join(messages, dealt ?? ''))
    await step(own ?? '', 'deal', flags)
    await expect(step('member-0', 'deal', flags)).rejects.toMatchObject(invalid)
    for (const name of members)
      expect(await step(name, 'check', flags)).toMatchObject({ complaints: 0, faults: [] })
    const committee = at('committee.json')
    await step('asker', 'conclude', { ...flags, to: committee })
    const peer = members.map((_, place) => url(place))
    sealed = (await step('asker', 'seal', { committee, peer })) as typeof sealed
    await expect(step('asker', 'seal', { committee })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    // Nothing that was printed or written is a root.
    expect(JSON.stringify(sealed)).not.toContain('"secret"')
    const { config } = await write('asker', askerSettings())
    expect(sealed.committeeRoot.configs).toEqual([configDigest(config)])
    const evil = await write('evil', askerSettings({ evidence: { provider: 'simulator', image: 'evil' } }))
    const configs = [...sealed.committeeRoot.configs, configDigest(evil.config)]
    for (const [place, name] of members.entries()) {
      const root = { ...sealed.committeeRoot, committee: 'committee.json', configs }
      await write(name, { api: { port: ports[place] }, committee: { roots: [root] } })
    }
  })

  it('gives nothing before its members are listed, then the root: with one that lies, not with one alone', async () => {
    await start('member-0')
    await start('member-1')
    await expect(released()).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
    for (const place of [0, 1]) await world.register(url(place))
    const liar = await startFakeBroker({
      simulator: openSimulator({ directory: world.data, random: platformRandom, at: new Date() }),
      resource: () => new TextEncoder().encode('{"member":3,"point":"0x00","proof":"0x00"}'),
      port: ports[2] ?? 0,
    })
    try {
      expect(await released()).toBe(sealed.root)
      await kill('member-0')
      await expect(released()).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
    } finally {
      await liar.stop()
    }
    await start('member-2')
    await world.register(url(2))
    expect(await released()).toBe(sealed.root)
  })

  it('gives nothing to code that the chain does not allow, nor to settings that it does not name', async () => {
    const given = (await audited('member-1')).match(/part-given/g)?.length
    await expect(released({ evidence: { provider: 'simulator', image: 'evil' } })).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
    })
    await expect(released({ instance: 'other' })).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
    expect((await audited('member-1')).match(/part-given/g)?.length).toBe(given)
  })

  it('is a recovery quorum: a lost node is restored on a fresh machine by two of three, and by no single one', async () => {
    const { config, secrets } = await write('asker', askerSettings())
    node = await startNode(config, secrets, { log })
    expect(node.keySet.statement.address).toBe(sealed.statementKey)
    await world.register(node.url)
    const ready = ({ url: address }: RunningNode) =>
      until('ready', async () => ((await ask(`${address}/v1/ready`)) as { ready: boolean }).ready)
    await ready(node)
    const [worker, bytes] = [0, world.payExport(0)]
    await world.contribute(node.url, [{ pool: world.pools.pay, worker, bytes }])
    const refined = async (address: string) =>
      ((await ask(`${address}/v1/contributions`)) as { states: Record<string, number> }).states['refined']
    const { url: address } = node
    await until('refined', async () => (await refined(address)) === 1)
    await backupNode({ config, secrets, to: at('lost.backup') })
    await node.stop()
    node = undefined
    await rm(at('asker'), { recursive: true })

    const fresh = await write('fresh', askerSettings())
    await kill('member-2')
    await expect(restoreNode({ ...fresh, from: at('lost.backup'), checkpoint: null })).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
    })
    await start('member-0')
    await restoreNode({ ...fresh, from: at('lost.backup'), checkpoint: null })
    node = await startNode(fresh.config, fresh.secrets, { log })
    await ready(node)
    expect(await refined(node.url)).toBe(1)
    await node.stop()
    node = undefined
  })

  it('replaces a member that is lost for good: two hand on to a new one, which then gives parts of the same root', async () => {
    // The machine of the node above was lost with its simulated hardware.
    await folder('asker')
    const invalid = { code: 'COMMITTEE_INVALID' }
    const purpose = 'in the place of member-2'
    // The newcomer runs and is listed before anybody hands it anything.
    await write('member-3', { api: { port: ports[3] } })
    await start('member-3')
    const seats = ['member-0', 'member-1', 'member-3']
    for (const name of seats)
      await writeFile(at(`${name}.new-card`), JSON.stringify(await step(name, 'join', { purpose })))
    const member = seats.map((name) => at(`${name}.new-card`))
    const [session, messages, before] = [at('new-session.json'), at('new-messages'), at('committee.json')]
    await mkdir(messages)
    const wanted = await step('asker', 'start', {
      purpose,
      member,
      threshold: '2',
      committee: before,
      to: session,
    })
    const reshares = [thresholdSessionDigest(wanted as Parameters<typeof thresholdSessionDigest>[0])]
    const root = { ...sealed.committeeRoot, committee: 'committee.json' }
    const agreed = (place: number) => ({
      api: { port: ports[place] },
      committee: { roots: [root], reshares },
    })
    const flags = { session, messages, committee: before, member }
    await expect(stepWith('member-0', agreed(0), 'deal', { session, messages })).rejects.toMatchObject(
      invalid,
    )
    // Its settings name the session, but it is not listed with them, and the newcomer not at all.
    await expect(stepWith('member-0', agreed(0), 'deal', flags)).rejects.toMatchObject(invalid)
    for (const [place, name] of [...members.slice(0, 2).entries()]) {
      await kill(name)
      await write(name, agreed(place))
      await start(name)
      await world.register(url(place))
    }
    await expect(stepWith('member-0', agreed(0), 'deal', flags)).rejects.toMatchObject({
      ...invalid,
      place: 'session.members[2]',
    })
    await world.register(url(3))
    expect(existsSync(messages) && (await readdir(messages))).toEqual([])
    for (const [place, name] of [...members.slice(0, 2).entries()])
      await stepWith(name, agreed(place), 'deal', flags)
    for (const name of seats)
      expect(await step(name, 'check', { session, messages })).toMatchObject({ complaints: 0 })
    const committee = at('new-committee.json')
    await step('asker', 'conclude', { session, messages, to: committee })

    const peer = [0, 1, 3].map(url)
    const renewed = (await stepWith('asker', askerSettings(), 'renew', { committee, peer })) as typeof sealed
    // A committee of its own is none that took the key over.
    await expect(step('asker', 'renew', { committee, peer })).rejects.toMatchObject(invalid)
    sealed = { ...sealed, ...renewed }
    for (const place of [0, 3]) {
      const name = `member-${place}`
      await kill(name)
      const roots = [{ ...sealed.committeeRoot, committee: 'new-committee.json' }]
      await write(name, { api: { port: ports[place] }, committee: { roots } })
      await start(name)
      await world.register(url(place))
    }
    await kill('member-1')
    expect(await released()).toBe(sealed.root)
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
