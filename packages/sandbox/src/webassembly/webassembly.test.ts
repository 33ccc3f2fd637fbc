import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failure } from '../failure.js'
import { createProcessRuntime } from '../process/index.js'
import type { JobRuntime } from '../runtime.js'
import { limits } from '../testing/job.js'
import { echo, give, importedFunction, op, wasmModule, write } from '../testing/wasm-module.js'
import { createWebAssemblyEngine } from './engine.js'
import { inspectModule } from './inspect-module.js'

const checked = { ...limits, stackBytes: 65_536, steps: Number.MAX_SAFE_INTEGER }
const run = (code: string, input: unknown = 'canary-4711', own = {}) =>
  createWebAssemblyEngine().run({
    code,
    entry: 'go',
    input: JSON.stringify(input),
    limits: { ...checked, ...own },
  })

test('JSON text goes in and comes out', async () => {
  expect(await run(wasmModule(echo), { a: [1, 'é😀'] })).toEqual({
    ok: true,
    output: '{"a":[1,"é😀"]}',
    logs: [],
  })
  expect(await run(wasmModule([...write(0, '[42]'), ...give(0, 4)]))).toMatchObject({ output: '[42]' })
})

test.each<[string, string, string]>([
  ['an import', wasmModule(echo, { imports: importedFunction }), 'CODE_INVALID'],
  ['a memory without a bound', wasmModule(echo, { memory: [0, 1] }), 'CODE_INVALID'],
  ['a shared memory', wasmModule(echo, { memory: [3, 1, 4] }), 'CODE_INVALID'],
  ['a memory of 64 bits', wasmModule(echo, { memory: [5, 1, 4] }), 'CODE_INVALID'],
  ['a memory above the limit', wasmModule(echo, { memory: [1, 1, 0x81, 0x04] }), 'OUT_OF_MEMORY'],
  ['a table without a bound', wasmModule(echo, { tables: [0x70, 0, 1] }), 'OUT_OF_MEMORY'],
  ['a huge table', wasmModule(echo, { tables: [0x70, 1, 1, 0xff, 0xff, 0x7f] }), 'OUT_OF_MEMORY'],
  ['another entry', wasmModule(echo, { exported: 'other' }), 'ENTRY_MISSING'],
  ['bytes that are no module', Buffer.from('canary').toString('base64'), 'CODE_INVALID'],
  ['a body that does not validate', wasmModule([...op.i32(1)]), 'CODE_INVALID'],
  ['no base64', `${wasmModule(echo).slice(0, -4)}!!!!`, 'CODE_INVALID'],
  ['another spelling of its base64', `${wasmModule(echo)}\n`, 'CODE_INVALID'],
  ['no text', '', 'CODE_INVALID'],
  ['an unreachable step', wasmModule([...op.unreachable]), 'THREW'],
  ['a write out of bounds', wasmModule([...write(2 ** 30, 'x'), ...give(0, 1)]), 'THREW'],
  ['division by zero', wasmModule([...op.i32(1), ...op.i32(0), ...op.i32DivU, ...op.drop, ...echo]), 'THREW'],
  ['recursion without end', wasmModule([...op.get(0), ...op.get(1), ...op.call(1)]), 'STACK_OVERFLOW'],
  ['an output outside of its memory', wasmModule(give(65_536, 10)), 'OUTPUT_NOT_JSON'],
  [
    'an output that is not UTF-8',
    wasmModule([...op.i32(0), ...op.i32(255), ...op.store8, ...give(0, 1)]),
    'OUTPUT_NOT_JSON',
  ],
  ['an output beyond the limit', wasmModule(give(0, 60_000)), 'OUTPUT_TOO_LARGE'],
  ['an allocation outside of its memory', wasmModule(echo, { allocateAt: 65_530 }), 'OUT_OF_MEMORY'],
])('a module with %s is refused', async (_name, code, expected) => {
  const own = expected === 'OUTPUT_TOO_LARGE' ? { outputBytes: 10_000 } : {}
  const result = await run(code, 'canary-4711', own)
  expect(result).toMatchObject({ ok: false, code: expected })
  expect(JSON.stringify(result)).not.toContain('canary')
})

test('base64 with bits that decode to nothing is another text of the same module, and refused', async () => {
  const code = wasmModule([...echo, ...op.drop, ...echo])
  const padded = [
    echo,
    [...op.get(0), ...op.drop, ...echo],
    [...op.get(0), ...op.drop, ...op.get(0), ...op.drop, ...echo],
  ]
    .map((body) => wasmModule(body))
    .find((text) => text.endsWith('='))
  expect(code.length).toBeGreaterThan(0)
  if (padded === undefined) throw new Error('one of three lengths is padded')
  const at = padded.indexOf('=') - 1
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const other = alphabet[alphabet.indexOf(padded[at] ?? '') ^ 1]
  expect(await run(`${padded.slice(0, at)}${other}${padded.slice(at + 1)}`)).toMatchObject({
    code: 'CODE_INVALID',
  })
  expect(await run(padded, 1)).toMatchObject({ ok: true })
})

test('an entry named allocate is none', async () => {
  const engine = createWebAssemblyEngine()
  expect(
    await engine.run({ code: wasmModule(echo), entry: 'allocate', input: '1', limits: checked }),
  ).toEqual(failure('ENTRY_MISSING', 'load'))
  expect(await engine.run({ code: wasmModule(echo), entry: 'memory', input: '1', limits: checked })).toEqual(
    failure('ENTRY_MISSING', 'load'),
  )
})

test('a shape says what stands in the sections, and nothing of what is malformed', () => {
  const head = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  const shape = (...bytes: readonly number[]) => inspectModule(Uint8Array.from(bytes))
  const none = { imports: 0, memoryBytes: undefined, tableElements: 0 }
  expect(shape(...head)).toEqual(none)
  expect(shape(1, ...head.slice(1))).toBeUndefined()
  expect(shape(...head.slice(0, 4), 2, 0, 0, 0)).toBeUndefined()
  expect(shape(...head, 5, 4, 1, 1, 0, 2)).toEqual({ ...none, memoryBytes: 131_072 })
  expect(shape(...head, 5, 4, 1, 2, 0, 2)).toBeUndefined()
  expect(shape(...head, 5, 9, 1, 1, 0, 2)).toBeUndefined()
  expect(shape(...head, 4, 5, 1, 0x6f, 1, 1, 128 - 1)).toEqual({ ...none, tableElements: 127 })
  expect(shape(...head, 4, 5, 1, 0x40, 1, 1, 1)).toBeUndefined()
  expect(shape(...head, 4, 5, 1, 0x70, 2, 1, 1)).toBeUndefined()
  expect(shape(...head, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0)).toBeUndefined()
  expect(shape(...head, 2, 2, 0x81, 0x01)).toMatchObject({ imports: 129 })
})

test('limits of the run that asks hold, not those of the run before', async () => {
  const engine = createWebAssemblyEngine()
  const deep = wasmModule([...op.get(0), ...op.get(1), ...op.call(1)])
  const go = (own: object) =>
    engine.run({ code: deep, entry: 'go', input: '1', limits: { ...checked, ...own } })
  expect(await go({})).toMatchObject({ code: 'STACK_OVERFLOW' })
  expect(await go({ steps: 100 })).toMatchObject({ code: 'OUT_OF_STEPS' })
  expect(await go({ steps: 1_000 })).toMatchObject({ code: 'OUT_OF_STEPS' })
  expect(await go({ steps: 1_000, stackBytes: 16_384 })).toMatchObject({ code: 'STACK_OVERFLOW' })
})

test('any bytes have a shape or none', () => {
  const module = Buffer.from(wasmModule(echo), 'base64')
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(module.length - 1), fc.nat(255), (tail, at, byte) => {
      const changed = Uint8Array.from(module)
      changed[at] = byte
      for (const bytes of [tail, changed, Uint8Array.from([...module.subarray(0, 8), ...tail])]) {
        const shape = inspectModule(bytes)
        expect(shape === undefined || shape.imports >= 0).toBe(true)
      }
    }),
  )
})

describe('in a child process', () => {
  let runtime: JobRuntime
  beforeAll(async () => {
    runtime = await createProcessRuntime({ isolation: 'best', engine: 'webassembly' })
  })
  afterAll(() => runtime.close())
  const go = (code: string, input: number | string = 1, own = {}) =>
    runtime.run({ code, entry: 'go', input, limits: { ...limits, ...own } })

  test('a loop without end ends at the deadline, and the next run works', async () => {
    expect(runtime.name).toContain('WebAssembly')
    const spin = wasmModule([...op.loop, ...op.branch(0), ...op.end, ...echo])
    expect(await go(spin, 1, { timeMs: 100 })).toMatchObject({ ok: false, code: 'TIMEOUT' })
    expect(await go(wasmModule(echo), 7)).toEqual({ ok: true, output: 7, logs: [] })
  })
  test('memory does not survive a run', async () => {
    const growing = wasmModule([
      ...op.i32(1),
      ...op.grow,
      ...op.drop,
      ...write(65_600, '5'),
      ...give(65_600, 1),
    ])
    const peek = wasmModule([...op.i32(1), ...op.grow, ...op.drop, ...give(65_600, 1)])
    expect(await go(growing)).toMatchObject({ ok: true, output: 5 })
    expect(await go(peek)).toMatchObject({ ok: false, code: 'OUTPUT_NOT_JSON' })
  })
  test.each(['1e999', '[1', '\u0000', '['.repeat(300)])('the text %j is no output', async (text) => {
    const code = wasmModule([...write(0, text), ...give(0, new TextEncoder().encode(text).length)])
    expect(await go(code)).toMatchObject({ ok: false, code: 'OUTPUT_NOT_JSON' })
  })
  test('the same module and input give the same bytes a hundred times', async () => {
    const seen = new Set<string>()
    for (let index = 0; index < 100; index++) seen.add(JSON.stringify(await go(wasmModule(echo), 'same')))
    expect(seen.size).toBe(1)
  })
})
