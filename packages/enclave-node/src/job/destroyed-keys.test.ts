import { copyFileSync, existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalBytes, platformRandom } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import type { SqlEngine } from '@sealpool/query'
import { tableOf } from '@sealpool/refine'
import { rekeyEncryptedParquet } from '@sealpool/refine/duckdb'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { lastingScope } from '../ingest/served-pool.js'
import { partFolder } from '../runtime/part-folder.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, keys } from '../testing/job-fixture.js'
import { stillHas } from '../testing/left-secrets.js'
import { livePool, liveWorld } from '../testing/live-world.js'
import type { JobContext } from './job-context.js'
import { advanceJob } from './run-job.js'

/* What a job over a live pool leaves on the disk, copied away while it runs by whoever has the disk, and opened, or not, by whoever has the node afterwards. */

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const runtime = await createQuickJsRuntime()
const world = liveWorld(store, runtime)
let folder: string
beforeEach(async () => {
  await world.reset()
  folder = await mkdtemp(join(tmpdir(), 'sealpool-job-keys-'))
  for (const id of ['1', '2', '3', '4']) await world.accepted(id)
  await world.see()
  return () => rm(folder, { recursive: true, force: true })
})
afterAll(async () => {
  await runtime.close()
  await store.close()
})

const columns = 1 + Object.keys(tableOf(livePool.refiner.schema, 'workers').columns).length
const opens = (path: string, fromKey: Uint8Array): Promise<boolean> =>
  rekeyEncryptedParquet({ from: path, columns, fromKey, to: `${path}.open`, toKey: platformRandom(32) }).then(
    () => true,
    () => false,
  )
const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0)
const idOf = (key: Uint8Array, job: string) =>
  `sha256:${keyedFingerprint({
    key,
    domain: 'sealpool/job-key/1',
    data: canonicalBytes({ job, use: 'live-tables' }),
  })}`

/** Runs job 1 over the live pool, and copies its tables away while the engine has them. */
async function observed(change: Partial<SqlEngine> = {}, failsToSign = 0) {
  const files = join(folder, 'live')
  const copies: { readonly path: string; readonly key: Uint8Array; readonly held: Uint8Array }[] = []
  const live = world.tables({ parts: partFolder(files) })
  const open = () =>
    engine({
      load: async (table) => {
        if (!('parquet' in table)) return
        const { paths, key: held = new Uint8Array() } = table.parquet
        for (const path of paths) {
          const copy = join(folder, `${copies.length}.parquet`)
          copyFileSync(path, copy)
          copies.push({ path: copy, key: Uint8Array.from(held), held })
        }
      },
      ...change,
    })
  const context = world.context(live, open)
  const signed: { readonly zero: boolean; readonly files: readonly string[] }[] = []
  let failures = failsToSign
  const sign: JobContext['sign'] = Object.assign(
    (asked: Parameters<JobContext['sign']>[0]) => {
      if (asked.type === 'sealpool/receipt') {
        const pool = join(files, livePool.address)
        signed.push({
          zero: copies.every(({ held }) => isZero(held)),
          files: existsSync(pool) ? readdirSync(pool) : [],
        })
        if (failures-- > 0) throw new Error('cut off')
      }
      return context.sign(asked)
    },
    { deployment: context.sign.deployment },
  )
  return { context: { ...context, sign }, copies, signed }
}

describe('the tables of a job over a live pool', () => {
  it('open with nothing that the node has, from before its receipt is signed on', async () => {
    const id = await world.jobs.paid()
    const { context, copies, signed } = await observed()
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
    const [copy] = copies
    if (copy === undefined) throw new Error('nothing lay on the disk')
    // Whoever had the key while the job ran opens them.
    expect(await opens(copy.path, copy.key)).toBe(true)
    expect(signed).toEqual([{ zero: true, files: [] }])
    const deployment = { chainId: livePool.chainId, nodeRegistry: livePool.address }
    for (const candidate of [
      copy.held,
      ...['table-storage', 'job-noise', 'job-pseudonyms', 'job-deal', 'job-share', 'live-tables'].map(
        (purpose) => keys.poolSecret(purpose, lastingScope(livePool)),
      ),
      keys.stateSecret(deployment),
      keys.imageSecret(deployment),
      keys.hpkePrivateKey,
    ])
      expect(await opens(copy.path, candidate)).toBe(false)
    expect(await stillHas(copy.key, { store, parts: [context] })).toBe(false)
    const { destroyedKeys, result } = await world.jobs.receiptOf(id)
    expect(destroyedKeys).toEqual([
      { use: 'live-tables', id: idOf(copy.key, id) },
      { use: 'result', id: result?.sealed },
    ])
  })

  it('are so when the job is refused after its charge, and its receipt names their key', async () => {
    const id = await world.jobs.paid()
    const { context, copies, signed } = await observed({
      query: async () => {
        throw new Error('a private value')
      },
    })
    expect(await advanceJob(context, id)).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(signed).toEqual([{ zero: true, files: [] }])
    const [copy] = copies
    expect((await world.jobs.receiptOf(id)).destroyedKeys).toEqual([
      { use: 'live-tables', id: idOf(copy?.key ?? new Uint8Array(32), id) },
    ])
  })

  it('are so when it is refused before its charge', async () => {
    const id = await world.jobs.paid()
    for (const place of [...world.online.keys()].slice(1)) world.online.delete(place)
    const { context, signed } = await observed()
    expect(await advanceJob(context, id)).toMatchObject({ state: 'refused', reason: 'TOO_FEW_CONTRIBUTORS' })
    expect(signed).toEqual([{ zero: true, files: [] }])
    expect((await world.jobs.receiptOf(id)).destroyedKeys).toMatchObject([{ use: 'live-tables' }])
  })

  it('are made anew, under another key, when the receipt could not be stored: both are named', async () => {
    const id = await world.jobs.paid()
    const { context, copies, signed } = await observed({}, 1)
    await expect(advanceJob(context, id)).rejects.toThrow('cut off')
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
    expect(signed).toHaveLength(2)
    expect(signed.every(({ zero, files }) => zero && files.length === 0)).toBe(true)
    const named = (await world.jobs.receiptOf(id)).destroyedKeys?.filter(({ use }) => use === 'live-tables')
    expect(named?.map(({ id: one }) => one)).toEqual(copies.map(({ key }) => idOf(key, id)))
    expect(new Set(named?.map(({ id: one }) => one)).size).toBe(2)
  })
})
