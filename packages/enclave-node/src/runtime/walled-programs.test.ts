import { cp, rm } from 'node:fs/promises'
import { storeProgram } from '@sealpool/client/program'
import type { JsonObject, JsonValue } from '@sealpool/crypto'
import { createNativeRuntime } from '@sealpool/sandbox/native'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { parseNodeConfig } from '../config/node-config.js'
import { ask, until } from '../testing/ask.js'
import { nativeAnswer } from '../testing/native-answer.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { worldJobs } from '../testing/world-jobs.js'
import { judgeReceipt, receiptOf } from '../testing/world-receipts.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

/* Programs that are only as safe as the walls around their process, on a node: native ones and Python. And a node that stops in one. */

const walls = await createNativeRuntime({ isolation: 'bubblewrap' }).then(
  async (runtime) => {
    await runtime.close()
    return true
  },
  (error: unknown) => {
    // A machine may lack it; CI installs it, and must not pass without having tried it.
    if (process.env['CI'] === 'true') throw error
    console.log(`native programs and Python are not tried here: ${String(error)}`)
    return false
  },
)
const wages = [20, 30, 40, 50]

describe.skipIf(!walls)('a node with native programs and Python', () => {
  let world: PoolWorld
  let node: RunningNode
  const start = async (): Promise<RunningNode> => {
    const { config: loaded, secrets } = await loadConfig(
      { config: world.config },
      { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
    )
    const config = parseNodeConfig({ ...loaded, programs: { runtimes: ['native', 'pyodide'] } })
    const log = nodeLogger({ level: 'silent', simulated: true })
    return startNode(config, secrets, { log })
  }
  const ready = () =>
    until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)

  beforeAll(async () => {
    world = await poolWorld({ workers: wages.length })
    node = await start()
    await world.register(node.url)
    await ready()
    const { pay } = world.pools
    await world.contribute(
      node.url,
      wages.map((wage, worker) => ({ pool: pay, worker, bytes: world.payExport(worker, wage) })),
    )
    await until('refined', async () => {
      const { states } = (await ask(`${node.url}/v1/contributions?pool=${pay.pool}`)) as {
        states: Record<string, number>
      }
      return states['refined'] === wages.length
    })
  }, 600_000)
  afterAll(async () => {
    await node?.stop()
    await world?.close()
  })

  const manifestOf = (
    consumer: ReturnType<typeof worldJobs>,
    stored: { readonly code: string; readonly runtime: string; readonly entry: string },
    change: JsonObject,
  ): JsonValue =>
    consumer.manifest({
      kind: 'compute',
      query: null,
      compute: {
        computation: 'program',
        parameters: {
          runtime: stored.runtime,
          code: stored.code,
          entry: stored.entry,
          tables: [{ table: 'workers', columns: ['wage'], rows: 1 }],
          argument: null,
          split: { kind: 'contributors', atMost: wages.length },
          ...change,
        },
      },
      privacy: { epsilon: 20, delta: 0 },
    })
  /** A native program that answers a half. */
  const half = () =>
    storeProgram({ blobStore: world.blobs, bytes: nativeAnswer('{"half":0.5}'), runtime: 'native' })
  const halves = {
    outputs: [{ name: 'half', min: 0, max: 1 }],
    limits: { memoryBytes: 16_777_216, timeMs: 2_000 },
  }

  it('runs both, each behind bubblewrap, and tells noisy numbers under a receipt that holds', {
    timeout: 600_000,
  }, async () => {
    const consumer = worldJobs(world)
    const script = `
def mean(asked):
    return {"wage": asked["contributors"][0]["tables"]["workers"][0]["wage"]}
`
    const bytes = new TextEncoder().encode(script)
    const python = await storeProgram({ blobStore: world.blobs, bytes, runtime: 'pyodide', entry: 'mean' })
    const asked = {
      native: manifestOf(consumer, await half(), halves),
      python: manifestOf(consumer, python, {
        outputs: [{ name: 'wage', min: 0, max: 100 }],
        limits: { memoryBytes: 536_870_912, timeMs: 12_000 },
      }),
    }
    const truth = { native: ['half', 0.5, 0.5], python: ['wage', 35, 40] } as const
    for (const name of ['native', 'python'] as const) {
      const id = await consumer.paid(asked[name])
      await until(
        'over',
        async () => ['settled', 'refused'].includes((await consumer.job(node.url, id)).state),
        300_000,
      )
      expect([name, (await consumer.job(node.url, id)).reason]).toEqual([name, null])
      const result = await consumer.result(node.url, id)
      if (result === undefined) throw new Error(`there is no answer of ${name}`)
      const { result: opened, sealedResult } = result
      const verdict = await judgeReceipt(world, await receiptOf(node.url, id), {
        result: opened,
        sealedResult,
      })
      expect(verdict.checks.filter((check) => check.result !== 'pass')).toEqual([])
      expect(verdict.body?.isolation).toContain('programs: native bubblewrap, pyodide bubblewrap')
      const answer = result.value as unknown as { outputs: { name: string; value: number }[] }
      const [output, value, within] = truth[name]
      expect(answer.outputs.map((one) => one.name)).toEqual([output])
      expect(Math.abs((answer.outputs[0]?.value ?? Number.NaN) - value)).toBeLessThan(within)
    }
  })

  it('ends a program that it was stopped in, charged and signed, and does not start on the disk of before', {
    timeout: 600_000,
  }, async () => {
    const consumer = worldJobs(world)
    const manifest = manifestOf(consumer, await half(), {
      ...halves,
      limits: { memoryBytes: 16_777_216, timeMs: 30_000 },
    })
    await node.stop()
    const before = `${world.data}-before`
    await cp(world.data, before, { recursive: true })
    node = await start()
    await ready()
    const id = await consumer.paid(manifest)
    await until('begun', async () => (await consumer.job(node.url, id)).reason === 'PROGRAM_RUNS')
    await node.stop()
    const newest = `${world.data}-newest`
    await cp(world.data, newest, { recursive: true })
    await rm(world.data, { recursive: true })
    await cp(before, world.data, { recursive: true })
    await expect(start()).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
    await rm(world.data, { recursive: true })
    await cp(newest, world.data, { recursive: true })
    node = await start()
    await ready()
    await until('over', async () => (await consumer.job(node.url, id)).state === 'refused')
    expect((await consumer.job(node.url, id)).reason).toBe('PROGRAM_INTERRUPTED')
    expect(await consumer.result(node.url, id)).toBeUndefined()
    const verdict = await judgeReceipt(world, await receiptOf(node.url, id))
    expect(verdict.checks.filter(({ result }) => result === 'fail')).toEqual([])
    expect(verdict.body).toMatchObject({ outcome: 'refused', refusal: { code: 'PROGRAM_INTERRUPTED' } })
    expect(verdict.body?.pools[0]?.budget).not.toBeNull()
  })
})
