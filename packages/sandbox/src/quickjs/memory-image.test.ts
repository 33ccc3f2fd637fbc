// A script that comes again is not loaded again: what it sees and what it gives must be what a context of its own would.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TextJob, TextResult } from '../engine.js'
import { createEngine } from './engine.js'

const limits = {
  memoryBytes: 2 ** 25,
  timeMs: 5_000,
  stackBytes: 2 ** 18,
  steps: Number.MAX_SAFE_INTEGER,
  outputBytes: 2 ** 16,
}
const job = (code: string, more: Partial<TextJob> = {}): TextJob => ({
  code: `globalThis.sealpool = { f: (x) => { ${code} } }`,
  entry: 'f',
  input: 'null',
  limits,
  ...more,
})

/** The same job several times in one engine: as unknown, in a module of its own, and out of its image. */
async function severalTimes(one: TextJob, times = 5): Promise<TextResult[]> {
  const engine = await createEngine()
  const results: TextResult[] = []
  for (let at = 0; at < times; at += 1) results.push(await engine.run(one))
  engine.dispose()
  return results
}

async function expectSame(one: TextJob): Promise<TextResult> {
  const [first, ...others] = await severalTimes(one)
  for (const other of others) expect(other).toEqual(first)
  return first as TextResult
}

describe('a script that comes again', () => {
  it('keeps nothing of the run before', async () => {
    const code =
      'let runs = 0; const seen = []; globalThis.sealpool = { f: (x) => { runs += 1; seen.push(x); globalThis.left = (globalThis.left ?? 0) + 1; return [runs, seen.length, globalThis.left] } }'
    expect(await expectSame(job('', { code }))).toMatchObject({ ok: true, output: '[1,1,1]' })
  })

  it('finds the builtins as they were, whatever a run did to them', async () => {
    const code =
      'const was = [typeof JSON.parse, [].includes.name, typeof Object.prototype.mark]; JSON.parse = null; Array.prototype.includes = null; Object.prototype.mark = 1; Object.freeze(Object.prototype); return was'
    expect(await expectSame(job(code))).toMatchObject({
      ok: true,
      output: '["function","includes","undefined"]',
    })
  })

  it('empties the buffers that loading made and a run wrote to, wherever it wrote', async () => {
    const code = `const buffers = [1e5, 1e6, 4e6].map((length) => new Uint8Array(length))
      globalThis.sealpool = { f: () => buffers.map((buffer) => {
        let sum = 0
        for (const at of [0, 0.1, 0.3, 0.5, 0.7, 0.999]) sum += buffer[Math.floor(at * buffer.length)]++
        return sum
      }) }`
    expect(await expectSame(job('', { code }))).toMatchObject({ output: '[0,0,0]' })
  })

  it('gives the log lines of its loading with each run, once', async () => {
    const code = "console.log('loaded'); globalThis.sealpool = { f: () => { console.log('run'); return 1 } }"
    expect(await expectSame(job('', { code }))).toMatchObject({ logs: ['loaded', 'run'] })
  })

  it('reads the attachments of its own run when it reads them while it is loaded', async () => {
    const code = 'const first = batch.attachment(0); globalThis.sealpool = { f: () => first }'
    const engine = await createEngine()
    for (const text of ['a', 'b', 'c', 'd']) {
      expect(await engine.run(job('', { code, attachments: [text] }))).toMatchObject({ output: `"${text}"` })
    }
  })

  it('knows how many attachments its own run has', async () => {
    const code =
      "let first = 'none'; try { first = batch.attachment(1) } catch {} globalThis.sealpool = { f: () => first }"
    const engine = await createEngine()
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await engine.run(job('', { code, attachments: ['a'] }))).toMatchObject({ output: '"none"' })
      expect(await engine.run(job('', { code, attachments: ['a', 'b'] }))).toMatchObject({ output: '"b"' })
    }
  })

  it('counts its steps as if it were loaded anew', async () => {
    const code =
      'let sum = 0; for (let i = 0; i < 300000; i++) sum += i; globalThis.sealpool = { f: () => { for (let i = 0; i < 300000; i++) sum += i; return sum } }'
    const codes = new Set<string>()
    for (const steps of [1, 100_000, 290_000, 310_000, 500_000, 590_000, 620_000, 10_000_000]) {
      const engine = await createEngine()
      // Its image is there before the steps are few: they are no part of what it depends on.
      for (let warm = 0; warm < 3; warm += 1) await engine.run(job('', { code }))
      const fresh = await (await createEngine()).run(job('', { code, limits: { ...limits, steps } }))
      expect(await engine.run(job('', { code, limits: { ...limits, steps } }))).toEqual(fresh)
      expect(await engine.run(job('', { code, limits: { ...limits, steps } }))).toEqual(fresh)
      codes.add(fresh.ok ? 'ok' : `${fresh.code} ${fresh.place}`)
    }
    expect([...codes].sort()).toEqual(['OUT_OF_STEPS load', 'OUT_OF_STEPS run', 'ok'])
  })

  it('has the memory and the stack that its own run grants', async () => {
    const code =
      'const kept = []; for (let i = 0; i < 400; i++) kept.push(new Uint8Array(10000).length); return kept.length'
    const list =
      'const kept = []; for (let i = 0; i < 400; i++) kept.push(new Uint8Array(50000)); return kept.length'
    const engine = await createEngine()
    for (let turn = 0; turn < 4; turn += 1) {
      expect(await engine.run(job(list))).toMatchObject({ ok: true })
      const small = { ...limits, memoryBytes: 2 ** 20 }
      expect(await engine.run(job(list, { limits: small }))).toMatchObject({
        ok: false,
        code: 'OUT_OF_MEMORY',
      })
      expect(await engine.run(job(code))).toMatchObject({ ok: true })
      const deep = 'const go = (n) => (n === 0 ? 0 : 1 + go(n - 1)); return go(x)'
      expect(await engine.run(job(deep, { input: '100' }))).toMatchObject({ output: '100' })
      const shallow = { ...limits, stackBytes: 2 ** 14 }
      expect(await engine.run(job(deep, { input: '1000', limits: shallow }))).toMatchObject({
        code: 'STACK_OVERFLOW',
      })
    }
  })

  it('has all the memory that its run grants, whatever ran before and in what steps the memory grew', async () => {
    const code = `const kept = []; let count = 0
      try { for (;;) { kept.push(new Uint8Array(x)); count += 1 } } catch {}
      kept.length = 0
      return count`
    const granted = { ...limits, memoryBytes: 2 ** 24 }
    const counts = new Set<string>()
    for (const before of [[], [13_900_000], [3_000_000]]) {
      for (const other of ['', '// another script']) {
        const engine = await createEngine()
        const run = (size: number, more = '') =>
          engine.run(job(code + more, { input: String(size), limits: granted }))
        for (const size of before) {
          await run(size, other)
          await run(size, other)
        }
        for (let turn = 0; turn < 4; turn += 1) {
          const result = await run(100_000)
          counts.add(result.ok ? result.output : result.code)
        }
      }
    }
    // The interpreter begins with 5.4 of its 16 MiB.
    expect([...counts].map((count) => Number(count) >= 275)).toEqual([true])
  })

  it('runs on after runs of it that failed in any way', async () => {
    const code = `if (x === 'throw') throw new TypeError('x')
      if (x === 'memory') { const kept = []; for (;;) kept.push(new Uint8Array(100000)) }
      if (x === 'stack') { const go = () => 1 + go(); return go() }
      if (x === 'loop') for (;;) {}
      if (x === 'steps') for (let i = 0; i < 1e9; i++) {}
      if (x === 'nothing') return undefined
      if (x === 'long') return 'x'.repeat(100000)
      if (x === 'promise') return Promise.resolve(1)
      return [x, typeof globalThis.left, (globalThis.left = 1)]`
    const engine = await createEngine()
    const run = (input: string, more: Partial<typeof limits> = {}) =>
      engine.run(job(code, { input: JSON.stringify(input), limits: { ...limits, ...more } }))
    for (let turn = 0; turn < 3; turn += 1) {
      for (const [input, failed] of [
        ['throw', 'THREW'],
        ['memory', 'OUT_OF_MEMORY'],
        ['stack', 'STACK_OVERFLOW'],
        ['nothing', 'OUTPUT_NOT_JSON'],
        ['promise', 'OUTPUT_NOT_JSON'],
        ['long', 'OUTPUT_TOO_LARGE'],
      ] as const) {
        expect(await run(input)).toMatchObject({ ok: false, code: failed })
        expect(await run('fine')).toMatchObject({ ok: true, output: '["fine","undefined",1]' })
      }
      expect(await run('loop', { timeMs: 50 })).toMatchObject({ code: 'TIMEOUT' })
      expect(await run('steps', { steps: 100_000 })).toMatchObject({ code: 'OUT_OF_STEPS' })
      expect(await run('fine')).toMatchObject({ ok: true, output: '["fine","undefined",1]' })
    }
  })

  it('gives in any order of scripts and inputs what an engine of its own would', async () => {
    const scripts = [
      'globalThis.n = (globalThis.n ?? 0) + 1; return [globalThis.n, x]',
      "console.log('a'.repeat(10)); if (x > 3) throw new RangeError('no'); return x * 2",
      'return batch.sha256(String(x))',
      'const list = []; for (let i = 0; i < x * 1000; i++) list.push({ i, text: "n" + i }); return list.length',
      'return [...new Set([x, x, 1])].map((n) => n ** 2)',
      'return this is no script',
    ]
    const alone = new Map<string, TextResult>()
    for (const script of scripts) {
      for (let input = 0; input < 6; input += 1) {
        const engine = await createEngine()
        alone.set(`${script} ${input}`, await engine.run(job(script, { input: String(input) })))
      }
    }
    const order = fc.array(fc.tuple(fc.constantFrom(...scripts), fc.integer({ min: 0, max: 5 })), {
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(order, async (jobs) => {
        const engine = await createEngine()
        for (const [script, input] of jobs) {
          expect(await engine.run(job(script, { input: String(input) }))).toEqual(
            alone.get(`${script} ${input}`),
          )
        }
        engine.dispose()
      }),
      { numRuns: 15 },
    )
  })
})
