import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as fc from 'fast-check'
import type initSqlJs from 'sql.js'
import { describe, expect, test } from 'vitest'
import { createQuickJsRuntime } from '../quickjs/index.js'
import { limits } from '../testing/job.js'
import { echo, op, wasmModule, write } from '../testing/wasm-module.js'
import { createWebAssemblyEngine } from './engine.js'
import { METER, meterModule } from './meter-module.js'

const plenty = { steps: Number.MAX_SAFE_INTEGER, stackBytes: 262_144 }
const run = (code: string, own: Partial<typeof plenty> = {}, entry = 'go') =>
  createWebAssemblyEngine().run({ code, entry, input: '1', limits: { ...limits, ...plenty, ...own } })
const bytesOf = (code: string) => Uint8Array.from(Buffer.from(code, 'base64'))
const counters = (instance: WebAssembly.Instance) =>
  [METER.steps, METER.stack].map((name) => Number((instance.exports[name] as WebAssembly.Global).value))
/** Runs the entry of a metered module. @returns what it gives and which steps it took */
function call(code: string, own: Partial<typeof plenty> = {}) {
  const given = { ...plenty, ...own }
  const metered = meterModule(bytesOf(code), given)
  if (metered === undefined) throw new Error('the module is not taken')
  const instance = new WebAssembly.Instance(new WebAssembly.Module(metered as BufferSource))
  const go = instance.exports['go'] as (pointer: number, bytes: number) => bigint
  const value = go(0, 1)
  const [left = 0, stack] = counters(instance)
  expect(stack).toBe(given.stackBytes / 8)
  return { value, steps: given.steps - left }
}
const f64 = (value: number) => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)]
const f32 = (value: number) => [0x43, ...new Uint8Array(new Float32Array([value]).buffer)]
const f64Bits = [0xbd]
const f32Bits = [0xbc, 0xad]
const counted = (times: number) => [
  ...op.i32(times),
  ...[0x21, 0],
  ...op.loop,
  ...op.get(0),
  ...op.i32(-1),
  ...op.i32Add,
  ...[0x22, 0],
  ...[0x0d, 0],
  ...op.end,
  ...op.i64(7),
]

describe('steps', () => {
  test('are the instructions that were taken, whatever the branch', () => {
    // Two before the loop and itself, five in each turn, its end; then the constant and the end.
    expect(call(wasmModule(counted(1)))).toEqual({ value: 7n, steps: 3 + 5 + 1 + 2 })
    expect(call(wasmModule(counted(100)))).toEqual({ value: 7n, steps: 3 + 500 + 1 + 2 })
    const choice = (condition: number) =>
      wasmModule([
        ...op.i32(condition),
        ...[0x04, 0x7e],
        ...op.i64(1),
        ...[0x05],
        ...op.i64(2),
        ...op.drop,
        ...op.i64(3),
        ...op.end,
      ])
    expect(call(choice(1))).toEqual({ value: 1n, steps: 2 + 2 + 1 })
    expect(call(choice(0))).toEqual({ value: 3n, steps: 2 + 4 + 1 })
  })
  test('end the run at the same one every time', async () => {
    const code = wasmModule([...counted(1000), ...op.drop, ...write(0, '5'), ...op.i64(1)])
    // `allocate` takes two as well.
    const needed = call(code).steps + 2
    for (let round = 0; round < 3; round += 1) {
      expect(await run(code, { steps: needed })).toMatchObject({ ok: true, output: '5' })
      expect(await run(code, { steps: needed - 1 })).toMatchObject({ ok: false, code: 'OUT_OF_STEPS' })
    }
  })
  test('end loops without end, in the entry, in allocate and at the start', async () => {
    const spin = wasmModule([...op.loop, ...op.branch(0), ...op.end, ...echo])
    expect(await run(spin, { steps: 1_000_000 })).toMatchObject({ code: 'OUT_OF_STEPS', place: 'run' })
    const atStart = bytesOf(wasmModule([...op.i64(1)], { start: [...op.loop, ...op.branch(0), ...op.end] }))
    expect(WebAssembly.validate(atStart as BufferSource)).toBe(true)
    const started = Buffer.from(atStart).toString('base64')
    expect(await run(started, { steps: 1_000_000 })).toMatchObject({ code: 'OUT_OF_STEPS', place: 'load' })
    expect(await run(started, { steps: 1_000_000 }, METER.start)).toMatchObject({ ok: false })
  })
  test('count bytes that are moved and pages that are taken', () => {
    const fill = (length: number) => [...op.i32(0), ...op.i32(0), ...op.i32(length), 0xfc, 11, 0]
    const few = call(wasmModule([...fill(0), ...op.i64(1)])).steps
    expect(call(wasmModule([...fill(65_536), ...op.i64(1)])).steps).toBe(few + 8192)
    const copy = [...op.i32(0), ...op.i32(8), ...op.i32(800), 0xfc, 10, 0, 0, ...op.i64(1)]
    expect(call(wasmModule(copy)).steps).toBe(few + 100)
    const grow = (pages: number) => [...op.i32(pages), ...op.grow, ...op.drop, ...op.i64(1)]
    expect(call(wasmModule(grow(2))).steps).toBe(call(wasmModule(grow(0))).steps + 2 * 8192)
  })
  test('of a start function that ends are taken before the entry', async () => {
    const code = wasmModule([...op.i64(1)], { start: write(0, '3') })
    expect(await run(code)).toMatchObject({ ok: true, output: '3' })
    expect(await run(code, {}, METER.start)).toMatchObject({ ok: false, code: 'ENTRY_MISSING' })
  })
})

describe('the stack', () => {
  /** Calls itself as often as it is told: function 1 takes (depth, _) and calls itself with depth - 1. */
  const recursive = wasmModule([
    ...[0x20, 0],
    ...[0x04, 0x40],
    ...[...op.get(0), ...op.i32(-1), ...op.i32Add, ...op.get(1), ...op.call(1), ...op.drop],
    ...op.end,
    ...op.i64(1),
  ])
  const depth = (calls: number, stackBytes: number) => {
    const metered = meterModule(bytesOf(recursive), { ...plenty, stackBytes })
    const instance = new WebAssembly.Instance(
      new WebAssembly.Module((metered ?? new Uint8Array()) as BufferSource),
    )
    const go = instance.exports['go'] as (depth: number, other: number) => bigint
    try {
      go(calls, 0)
      expect(counters(instance)[1]).toBe(stackBytes / 8)
      return true
    } catch (error) {
      expect(error).toBeInstanceOf(WebAssembly.RuntimeError)
      expect(counters(instance)[1]).toBeLessThan(0)
      return false
    }
  }
  test('ends at the same depth every time, long before that of the machine', () => {
    // A frame: 16, two parameters twice, three locals of ours, and at most two operands.
    for (const stackBytes of [16_384, 262_144, 524_288]) {
      const most = Math.floor(stackBytes / 8 / (16 + 4 + 3 + 2))
      expect(depth(most, stackBytes)).toBe(true)
      expect(depth(most + 1, stackBytes)).toBe(false)
    }
  })
  test.each<[string, readonly number[], number]>([
    ['nothing more', [], 2],
    ['three operands', [...op.i32(1), ...op.i32(1), ...op.i32(1), ...op.drop, ...op.drop, ...op.drop], 3],
    [
      'three operands in either branch',
      [
        ...[...op.i32(1), 0x04, 0x7f],
        ...[...op.i32(1), ...op.i32(1), ...op.i32(1), ...op.drop, ...op.drop],
        ...[0x05, ...op.i32(1), ...op.i32(1), ...op.i32(1), ...op.drop, ...op.drop],
        ...[...op.end, ...op.drop],
      ],
      3,
    ],
    [
      'a block that takes and gives one',
      [...op.i32(1), 0x02, 0, ...op.end, ...op.i32(1), ...op.i32(1), ...op.drop, ...op.drop, ...op.drop],
      3,
    ],
    [
      'blocks one after the other',
      Array.from({ length: 9 }, () => [
        0x02,
        0x7f,
        ...op.i32(1),
        ...op.i32(1),
        ...op.drop,
        ...op.end,
        ...op.drop,
      ]).flat(),
      2,
    ],
    [
      'calls that give what they take',
      [...op.i32(1), ...op.call(0), ...op.call(0), ...op.i32(1), ...op.drop, ...op.drop],
      2,
    ],
    [
      'a call through a table, which takes the number of its function too',
      [
        ...op.i32(0),
        0x04,
        0x40,
        ...op.i32(1),
        ...op.i32(0),
        0x11,
        0,
        0,
        ...op.i32(1),
        ...op.drop,
        ...op.drop,
        ...op.end,
      ],
      2,
    ],
    ['a float operation', [...f64(1), ...f64(1), 0xa0, ...op.drop], 4],
    [
      'branches that are not taken',
      Array.from({ length: 5 }, () => [0x02, 0x40, ...op.i32(0), 0x0d, 0, ...op.end]).flat(),
      2,
    ],
  ])('counts frames with %s', (_, extra, operands) => {
    const code = wasmModule([...extra, ...op.get(0), ...op.get(1), ...op.call(1)], {
      tables: [0x70, 1, 1, 1],
    })
    const stackBytes = 16_384
    const metered = meterModule(bytesOf(code), { ...plenty, stackBytes })
    const instance = new WebAssembly.Instance(
      new WebAssembly.Module((metered ?? new Uint8Array()) as BufferSource),
    )
    expect(() => (instance.exports['go'] as (a: number, b: number) => bigint)(0, 0)).toThrow(
      WebAssembly.RuntimeError,
    )
    const frame = 16 + 4 + 3 + operands
    expect(counters(instance)[1]).toBe(2048 - (Math.floor(2048 / frame) + 1) * frame)
  })
  test('is told as such', async () => {
    const code = wasmModule([...op.get(0), ...op.get(1), ...op.call(1)])
    expect(await run(code)).toMatchObject({ ok: false, code: 'STACK_OVERFLOW', place: 'run' })
  })
  test('a function with more locals than a frame may have is not taken', () => {
    const locals = (count: number) =>
      wasmModule([...op.i64(1)], { locals: [[(count & 127) | 128, count >> 7, 0x7e]] })
    expect(meterModule(bytesOf(locals(4_000)), plenty)).toBeDefined()
    expect(WebAssembly.validate(bytesOf(locals(5_000)) as BufferSource)).toBe(true)
    expect(meterModule(bytesOf(locals(5_000)), plenty)).toBeUndefined()
  })
})

describe('NaN', () => {
  const canonical64 = 0x7ff8_0000_0000_0000n
  const canonical32 = 0x7fc0_0000n
  const loaded64 = [...op.i32(0), ...op.i64(-1), 0x37, 3, 0, ...op.i32(0), 0x2b, 3, 0]
  const loaded32 = [...op.i32(0), ...op.i32(-1), 0x36, 2, 0, ...op.i32(0), 0x2a, 2, 0]
  const bits = (body: readonly number[]) => BigInt.asUintN(64, call(wasmModule(body)).value)

  test.each(Array.from({ length: 6 }, (_, index) => 0xa0 + index))(
    'of f64 operation %i has one form',
    (code) => {
      expect(bits([...loaded64, ...f64(1), code, ...f64Bits])).toBe(canonical64)
      expect(bits([...f64(1), ...loaded64, code, ...f64Bits])).toBe(canonical64)
    },
  )
  test.each(Array.from({ length: 6 }, (_, index) => 0x92 + index))(
    'of f32 operation %i has one form',
    (code) => {
      expect(bits([...loaded32, ...f32(1), code, ...f32Bits])).toBe(canonical32)
    },
  )
  test('of invalid operations has one form', () => {
    expect(bits([...f64(0), ...f64(0), 0xa3, ...f64Bits])).toBe(canonical64)
    expect(bits([...f64(-1), 0x9f, ...f64Bits])).toBe(canonical64)
    expect(bits([...f32(0), ...f32(0), 0x95, ...f32Bits])).toBe(canonical32)
    for (const code of [0x9b, 0x9c, 0x9d, 0x9e, 0x9f])
      expect(bits([...loaded64, code, ...f64Bits])).toBe(canonical64)
    for (const code of [0x8d, 0x8e, 0x8f, 0x90, 0x91])
      expect(bits([...loaded32, code, ...f32Bits])).toBe(canonical32)
  })
  test('has one form when it changes its width', () => {
    expect(bits([...loaded32, 0xbb, ...f64Bits])).toBe(canonical64)
    expect(bits([...loaded64, 0xb6, ...f32Bits])).toBe(canonical32)
  })
  test('keeps its bits where they are only moved, and numbers are what they were', () => {
    expect(bits([...loaded64, ...f64Bits])).toBe(2n ** 64n - 1n)
    expect(bits([...loaded64, 0x99, ...f64Bits])).toBe(2n ** 63n - 1n)
    const numbers = fc.tuple(
      fc.double({ noNaN: true }),
      fc.double({ noNaN: true }),
      fc.integer({ min: 0xa0, max: 0xa5 }),
    )
    fc.assert(
      fc.property(numbers, ([left, right, code]) => {
        const body = wasmModule([...f64(left), ...f64(right), code, ...f64Bits])
        const plain = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(body) as BufferSource))
        const expected = (plain.exports['go'] as (a: number, b: number) => bigint)(0, 0)
        const nan = Number.isNaN(new Float64Array(BigInt64Array.of(expected).buffer)[0])
        expect(call(body).value).toBe(nan ? canonical64 : expected)
      }),
    )
  })
})

describe('what is not taken', () => {
  test('a module that names the counters before they are there', async () => {
    // Global 0 is the counter of steps in a module without globals.
    for (const body of [
      [...op.i64(1), 0x24, 0, ...op.i64(1)],
      [0x23, 0],
      [0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x21, 3, ...op.i64(1)],
    ]) {
      expect(await run(wasmModule(body))).toMatchObject({ code: 'CODE_INVALID' })
    }
    expect(await run(wasmModule(echo, { exported: METER.steps }), {}, METER.steps)).toMatchObject({
      code: 'CODE_INVALID',
    })
  })
  test('vectors and atomics', () => {
    const vector = wasmModule([0xfd, 12, ...Array(16).fill(0), ...op.drop, ...op.i64(1)])
    expect(WebAssembly.validate(bytesOf(vector) as BufferSource)).toBe(true)
    expect(meterModule(bytesOf(vector), plenty)).toBeUndefined()
    const inLocals = wasmModule([...op.i64(1)], { locals: [[1, 0x7b]] })
    expect(WebAssembly.validate(bytesOf(inLocals) as BufferSource)).toBe(true)
    expect(meterModule(bytesOf(inLocals), plenty)).toBeUndefined()
    expect(meterModule(bytesOf(wasmModule([0xfe, 3, 0, ...op.i64(1)])), plenty)).toBeUndefined()
  })
  test('a module without code or without exports, and sections that are unknown or stand twice', () => {
    const head = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
    const type = [1, 4, 1, 0x60, 0, 0]
    const one = [3, 2, 1, 0]
    const exported = [7, 5, 1, 1, 0x61, 0, 0]
    const code = [10, 4, 1, 2, 0, 0x0b]
    const taken = (...sections: readonly (readonly number[])[]) =>
      meterModule(Uint8Array.from([...head, ...sections.flat()]), plenty) !== undefined
    expect(taken(type, one, exported, code)).toBe(true)
    expect(taken([1, 9, 2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7e], one, exported, code)).toBe(true)
    expect(taken([1, 9, 2, 0x60, 0, 0, 0x60, 1, 0x7b, 1, 0x7e], one, exported, code)).toBe(false)
    expect(taken([1, 9, 2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7b], one, exported, code)).toBe(false)
    expect(taken([1, 7, 2, 0x60, 0, 0, 0x5f, 0, 0], one, exported, code)).toBe(false)
    expect(taken(type, one, code)).toBe(false)
    expect(taken(type, one, exported)).toBe(false)
    expect(taken(type, one, exported, code, [13, 1, 0])).toBe(false)
    expect(taken(type, one, exported, code, code)).toBe(false)
    expect(taken(type, type, one, exported, code)).toBe(false)
    const imported = (...what: readonly number[]) => {
      const entry = [1, 1, 0x61, 1, 0x62, ...what]
      return taken(type, [2, entry.length, ...entry], one, exported, code)
    }
    expect(imported(2, 0, 1)).toBe(true)
    expect(imported(2, 1, 1, 4)).toBe(true)
    expect(imported(2, 3, 1, 4)).toBe(true)
    expect(imported(2, 4, 1)).toBe(false)
    expect(imported(1, 0x70, 1, 1, 4)).toBe(true)
    expect(imported(3, 0x7f, 0)).toBe(true)
    expect(imported(4, 0, 0)).toBe(false)
    // A maximum that is not there, or that was not expected, leaves the rest unread or makes it short.
    expect(imported(2, 1, 1)).toBe(false)
    // Custom sections may stand anywhere, and as often as they like.
    expect(taken([0, 2, 1, 0x61], type, one, exported, [0, 2, 1, 0x61], code)).toBe(true)
  })
  test('code that says what no valid module says', () => {
    const taken = (body: readonly number[]) => meterModule(bytesOf(wasmModule(body)), plenty) !== undefined
    const address = op.i32(0)
    expect(taken([...address, 0x28, 2, 0, ...op.drop, ...op.i64(1)])).toBe(true)
    expect(taken([...address, 0x28, 64, 0, 0, ...op.drop, ...op.i64(1)])).toBe(false)
    expect(taken([...address, 0x40, 1, ...op.drop, ...op.i64(1)])).toBe(false)
    expect(taken([...op.call(2), ...op.i64(1)])).toBe(false)
    expect(taken([0x02, 3, ...op.end, ...op.i64(1)])).toBe(false)
    expect(taken([...op.end, ...op.i64(1)])).toBe(false)
    expect(taken([...address, 0x11, 3, 0, ...op.i64(1)])).toBe(false)
    expect(taken([0xfc, 18, 0, ...op.i64(1)])).toBe(false)
  })
  test('any bytes are rewritten or refused', () => {
    const module = bytesOf(wasmModule(counted(3)))
    fc.assert(
      fc.property(fc.nat(module.length - 1), fc.nat(255), fc.nat(module.length), (at, byte, end) => {
        const changed = Uint8Array.from(module)
        changed[at] = byte
        for (const bytes of [changed, changed.subarray(0, end), module.subarray(0, end)]) {
          const metered = meterModule(bytes, plenty)
          // What was valid stays valid.
          if (metered !== undefined && WebAssembly.validate(bytes as BufferSource)) {
            expect(WebAssembly.validate(metered as BufferSource)).toBe(true)
          }
        }
      }),
    )
  })
})

test('SQLite, metered, gives what SQLite gives, and pays for it', async () => {
  const load = createRequire(import.meta.url)
  const original = Uint8Array.from(readFileSync(load.resolve('sql.js/dist/sql-wasm.wasm')))
  const metered = meterModule(original, plenty)
  expect(metered?.length).toBeGreaterThan(original.length)
  const query = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    SELECT count(*), sum(i * 1.5), avg(i / 7.0), group_concat(substr(hex(i), 1, 2)) FROM n`
  const results = []
  for (const bytes of [original, metered ?? original]) {
    // The package starts one SQLite per load, whatever it is asked for later.
    delete load.cache[load.resolve('sql.js')]
    const start = load('sql.js') as typeof initSqlJs
    let exports: WebAssembly.Exports = {}
    const instantiateWasm = (
      imports: WebAssembly.Imports,
      ready: (instance: WebAssembly.Instance) => void,
    ): object => {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports)
      exports = instance.exports
      ready(instance)
      return exports
    }
    const sql = await start({ instantiateWasm } as Parameters<typeof initSqlJs>[0])
    const database = new sql.Database()
    results.push(database.exec(query))
    database.close()
    const steps = exports[METER.steps] as WebAssembly.Global | undefined
    expect(steps === undefined).toBe(bytes === original)
    if (steps !== undefined) expect(plenty.steps - Number(steps.value)).toBeGreaterThan(1_000_000)
  }
  expect(results[1]).toEqual(results[0])
}, 30_000)

test('QuickJS counts its steps as well, and ends at the same one every time', async () => {
  const runtime = await createQuickJsRuntime()
  const code =
    'globalThis.sealpool = { go: (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum } }'
  const go = (input: number, steps: number) =>
    runtime.run({ code, entry: 'go', input, limits: { ...limits, timeMs: 60_000, steps } })
  const ends = async (steps: number) => {
    let [low, high] = [0, 2_000_000]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((await go(middle, steps)).ok) low = middle
      else high = middle
    }
    return low
  }
  const most = await ends(100_000)
  expect(most).toBeGreaterThan(20_000)
  expect(most).toBeLessThan(200_000)
  expect(await ends(100_000)).toBe(most)
  expect(await go(most + 1, 100_000)).toMatchObject({ ok: false, code: 'OUT_OF_STEPS' })
  expect(await go(5 * most, 100_000)).toMatchObject({ ok: false, code: 'OUT_OF_STEPS', place: 'run' })
  expect(await go(most + 1, 1_000_000)).toMatchObject({ ok: true })
  const stubborn =
    'globalThis.sealpool = { go: () => { for (;;) { try { for (;;) {} } catch {} finally { continue } } } }'
  expect(
    await runtime.run({
      code: stubborn,
      entry: 'go',
      input: 1,
      limits: { ...limits, timeMs: 60_000, steps: 50_000 },
    }),
  ).toMatchObject({ code: 'OUT_OF_STEPS' })
  await runtime.close()
})
