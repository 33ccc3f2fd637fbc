import { storeProgram } from '@sealpool/client/program'
import { programDigest } from '@sealpool/compute'
import type { Digest, JsonObject, JsonValue } from '@sealpool/crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { parseNodeConfig } from '../config/node-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { wasmAnswer } from '../testing/wasm-answer.js'
import { worldJobs } from '../testing/world-jobs.js'
import { judgeReceipt, receiptOf } from '../testing/world-receipts.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

/* Programs of a pool's own on a node with a real sandbox, two at a time: each keeps its place until the end of its time. */

let world: PoolWorld
let node: RunningNode
const lines: string[] = []

/** Wages whose digits are in nothing else. */
const wages = Array.from({ length: 8 }, (_, worker) => 41.31 + worker)
const script = `
const wageOf = ({ contributors: [one] }) => one.tables.workers[0].wage
globalThis.sealpool = {
  mean: (input) => ({ wage: wageOf(input) }),
  hostile: (input) => {
    globalThis.kept = (globalThis.kept ?? 0) + 1
    const rows = JSON.stringify(input)
    console.log(rows)
    const who = Math.floor(wageOf(input)) - 41
    if (who === 0) for (;;) {}
    if (who === 1) for (const all = []; ; ) all.push(new Array(100000).fill(rows))
    if (who === 2) throw new Error(rows)
    if (who === 3) return { value: rows, seen: 1 }
    return { value: 1e308, seen: globalThis.kept }
  },
  one: (input) => {
    if (Math.floor(wageOf(input)) !== 45) throw new Error('not asked about this one')
    return { wage: 100 }
  },
}`

beforeAll(async () => {
  world = await poolWorld({ workers: wages.length })
  const { config: loaded, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  const config = parseNodeConfig({
    ...loaded,
    programs: { runtimes: ['quickjs', 'webassembly'], children: 2 },
  })
  const log = nodeLogger({ level: 'debug', simulated: true, write: (line) => lines.push(line) })
  node = await startNode(config, secrets, { log })
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
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
}, 240_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
})

interface ProgramAnswer {
  readonly outputs: readonly { readonly name: string; readonly value: number }[]
  readonly answered: { readonly value: number }
}

it('runs what a pool votes for, tells noisy numbers and nothing else, and the same once more', async () => {
  const consumer = worldJobs(world)
  const text = new TextEncoder().encode(script)
  const { blobs: blobStore } = world
  const stored = await storeProgram({ blobStore, bytes: text, runtime: 'quickjs', entry: 'mean' })
  const wasm = await storeProgram({
    blobStore,
    bytes: wasmAnswer('{"half":0.5}'),
    runtime: 'webassembly',
  })
  // The client and the node name a program alike.
  expect(wasm.program).toBe(programDigest({ runtime: 'webassembly', entry: 'main', code: wasm.code }))
  const manifest = (entry: string, epsilon: number, change: JsonObject = {}): JsonValue =>
    consumer.manifest({
      kind: 'compute',
      query: null,
      compute: {
        computation: 'program',
        parameters: {
          runtime: 'quickjs',
          code: stored.code,
          entry,
          tables: [{ table: 'workers', columns: ['wage', 'sector'], rows: 1 }],
          argument: { hello: 'world' },
          split: { kind: 'contributors', atMost: wages.length },
          outputs: [{ name: 'wage', min: 0, max: 100 }],
          limits: { memoryBytes: 16_777_216, timeMs: 1_000, steps: 5_000_000 },
          ...change,
        },
      },
      privacy: { epsilon, delta: 0 },
    })
  const mean = manifest('mean', 14)
  const asked = {
    mean,
    again: mean,
    wasm: manifest('main', 10, {
      runtime: 'webassembly',
      code: wasm.code,
      outputs: [{ name: 'half', min: 0, max: 1 }],
      limits: { memoryBytes: 16_777_216, timeMs: 1_000, steps: 1_000_000 },
    }),
    hostile: manifest('hostile', 30, {
      outputs: [
        { name: 'value', min: 0, max: 1 },
        { name: 'seen', min: 0, max: 4 },
      ],
    }),
    one: manifest('one', 20),
  }
  const ids = new Map<string, bigint>()
  for (const [name, one] of Object.entries(asked)) ids.set(name, await consumer.paid(one))
  const idOf = (name: keyof typeof asked): bigint => ids.get(name) ?? 0n
  await until('over', async () => {
    const states = await Promise.all([...ids.values()].map((id) => consumer.job(node.url, id)))
    return states.every(({ state }) => state === 'settled' || state === 'refused')
  })

  const ended = await Promise.all(
    Object.keys(asked).map(async (name) => [
      name,
      (await consumer.job(node.url, ids.get(name) ?? 0n)).reason,
    ]),
  )
  expect(Object.fromEntries(ended)).toEqual({
    mean: null,
    again: null,
    wasm: null,
    hostile: null,
    // Who answers for one alone, to say something of him, tells nothing.
    one: 'TOO_FEW_CONTRIBUTORS_AFTER_NOISE',
  })
  const answerOf = async (name: keyof typeof asked) => {
    const result = await consumer.result(node.url, idOf(name))
    if (result === undefined) throw new Error(`there is no answer of ${name}`)
    const bundle = await receiptOf(node.url, idOf(name))
    const { result: opened, sealedResult } = result
    const verdict = await judgeReceipt(world, bundle, { result: opened, sealedResult })
    expect(verdict.checks.filter((check) => check.result !== 'pass')).toEqual([])
    return { bytes: opened, answer: result.value as unknown as ProgramAnswer, body: verdict.body }
  }
  const first = await answerOf('mean')
  expect(first.answer.outputs[0]?.name).toBe('wage')
  expect(Math.abs((first.answer.outputs[0]?.value ?? 0) - 44.81)).toBeLessThan(15)
  expect(first.body?.isolation).toContain('programs: quickjs ')
  expect(first.body).toMatchObject({ code: stored.program satisfies Digest })
  expect((await answerOf('again')).bytes).toEqual(first.bytes)
  const half = (await answerOf('wasm')).answer
  expect(Math.abs((half.outputs[0]?.value ?? 0) - 0.5)).toBeLessThan(0.5)

  // One loops, one allocates, one throws the rows, one gives them as text: no answers. The others find no trace of who ran before.
  const hostile = (await answerOf('hostile')).answer
  expect(Math.abs(hostile.answered.value - 4)).toBeLessThan(1)
  expect(hostile.outputs.map(({ name }) => name)).toEqual(['value', 'seen'])
  expect(hostile.outputs[0]?.value).toBeLessThanOrEqual(1)
  expect(hostile.outputs[1]?.value).toBeLessThan(2)

  const shown: unknown[] = [lines]
  for (const name of ['hostile', 'one'] as const) {
    for (const path of ['', '/receipt', '/result'])
      shown.push(await ask(`${node.url}/v1/jobs/${idOf(name)}${path}`))
    shown.push(await consumer.result(node.url, idOf(name)).then((result) => result?.value))
  }
  const all = JSON.stringify(shown)
  expect(all).toContain('PROGRAM_RUNS')
  for (const wage of wages) expect(all).not.toContain(String(wage))
}, 240_000)
