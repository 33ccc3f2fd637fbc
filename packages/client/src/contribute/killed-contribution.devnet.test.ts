import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatDeployment, getContributions } from '@sealpool/contracts'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DevnetPool, devnetPool } from '../testing/devnet-pool.js'

/*
 * A contributor's process is killed (SIGKILL) at every moment of a contribution, then run again: the chain gets exactly one, its
 * blob is there, and at most one sealed blob is left over. A real chain, real files, real processes.
 */

let world: DevnetPool
let program: string
const folders: string[] = []
beforeAll(async () => {
  world = await devnetPool()
  program = join(await folder(), 'contribute.mjs')
  // One file: forty processes start four times as fast as from the sources.
  await build({
    entryPoints: [fileURLToPath(new URL('../testing/killed-contribution.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@sealpool/source'],
    logLevel: 'error',
  })
})
afterAll(async () => {
  await world.devnet.stop()
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

async function run(options: {
  folder: string
  dieAt: string
  account: number
}): Promise<NodeJS.Signals | number | null> {
  const key = world.devnet.accounts[options.account]?.privateKey
  if (key === undefined) throw new Error('no such account')
  const child = spawn(process.execPath, [program], {
    env: {
      PATH: process.env['PATH'],
      DEPLOYMENT: formatDeployment(world.deployment),
      POOL: world.contracts.pool,
      RPC: world.devnet.rpcUrl,
      KEY: key,
      FOLDER: options.folder,
      DIE_AT: options.dieAt,
      DEADLINE: ((await world.time()) + 7200n).toString(),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (part) => {
    errors += part
  })
  const ended = await new Promise<NodeJS.Signals | number | null>((resolve) =>
    child.on('exit', (code, signal) => resolve(signal ?? code)),
  )
  if (ended !== 'SIGKILL' && ended !== 0) throw new Error(errors)
  return ended
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealpool-killed-'))
  folders.push(path)
  return path
}
const answersOf = async (path: string) =>
  (await readFile(join(path, 'answers'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; resumed: boolean; locator: string; moments: string[] })
const blobsOf = async (path: string) =>
  (await readdir(join(path, 'blobs'), { recursive: true })).filter((name) => /^..\/[0-9a-f]{64}$/.test(name))
const ownContributions = async (account: number) =>
  (
    await getContributions(world.walletOf(0), { deployment: world.deployment, pool: world.contracts.pool })
  ).filter(({ owner }) => owner === world.accountOf(account).address)

const moments = [
  'preflight started',
  'verify started',
  'verify done',
  'before journal 1',
  'after journal 1',
  'seal done',
  'store started',
  'store done',
  'before journal 2',
  'after journal 2',
  'sign done',
  'before journal 3',
  'after journal 3',
  'send started',
  'before transaction',
  'after transaction',
  'send done',
  'before journal 4',
  'after journal 4',
]
/** Moments after which a second run has nothing to go on from. */
const fresh = new Set(['preflight started', 'verify started', 'verify done', 'before journal 1'])

describe('a contribution that was killed', () => {
  test('has these moments, and is only told of again when it is done', async () => {
    const path = await folder()
    expect(await run({ folder: path, dieAt: 'none', account: 3 })).toBe(0)
    expect(await run({ folder: path, dieAt: 'none', account: 3 })).toBe(0)
    const [first, second] = await answersOf(path)
    expect(moments.filter((name) => first?.moments.includes(name) !== true)).toEqual([])
    expect(first?.resumed).toBe(false)
    expect(second).toMatchObject({ id: first?.id, resumed: true, locator: first?.locator })
    expect(second?.moments).toContain('send skipped')
    expect(await ownContributions(3)).toHaveLength(1)
  })

  // One account for all: what an earlier case left behind must not be taken for this one's.
  let before = 0
  test.each(moments)('at "%s" is on chain exactly once after the next run', async (dieAt) => {
    const path = await folder()
    expect(await run({ folder: path, dieAt, account: 4 })).toBe('SIGKILL')
    expect(await run({ folder: path, dieAt: 'none', account: 4 })).toBe(0)
    const [answer] = await answersOf(path)
    const own = await ownContributions(4)
    expect(own.length).toBe(before + 1)
    before = own.length
    expect(own.at(-1)).toMatchObject({ id: BigInt(answer?.id ?? -1), locator: answer?.locator })
    expect(answer?.resumed).toBe(!fresh.has(dieAt))
    const blobs = await blobsOf(path)
    expect(blobs.some((name) => answer?.locator === `sha256:${name.slice(3)}`)).toBe(true)
    expect(blobs.length).toBeLessThanOrEqual(dieAt === 'store done' || dieAt === 'before journal 2' ? 2 : 1)
    // The journal holds nothing of the export.
    const journal = await readFile(join(path, 'journal', 'export-1.json'), 'utf8')
    expect(journal).not.toContain('wage')
    expect(journal).not.toContain('12.50')
  })

  test('leaves one contribution when two processes race under one key', async () => {
    const path = await folder()
    await run({ folder: path, dieAt: 'after journal 2', account: 5 })
    const ended = await Promise.all([
      run({ folder: path, dieAt: 'none', account: 5 }),
      run({ folder: path, dieAt: 'none', account: 5 }),
    ])
    expect(ended).toEqual([0, 0])
    const answers = await answersOf(path)
    expect(answers[0]?.id).toBe(answers[1]?.id)
    expect(await ownContributions(5)).toHaveLength(1)
  })
})
