import { describe, expect, test } from 'vitest'
import type { Job, JsonValue, RunResult } from '../runtime.js'
import { limits } from './job.js'

/** How the tests drive the runtime they are about. */
export interface Driver {
  readonly run: (job: Job) => Promise<RunResult>
  /** Output of the expression for the input; throws when the run fails. */
  readonly give: (expression: string, input?: JsonValue) => Promise<JsonValue>
  /** Runs the expression on a canary, and expects this code and no canary in the answer. */
  readonly failWith: (expression: string, code: string) => Promise<RunResult>
}

/** The part of the suite that says what code must not reach: clock, randomness, strings as code, the host, the harness. */
export function confinementConformance({ run, give, failWith }: Driver): void {
  describe('determinism', () => {
    test.each([
      ['Date.now()', 'TypeError'],
      ['new Date()', 'TypeError'],
      ['Math.random()', 'TypeError'],
      ['performance.now()', 'ReferenceError'],
      ['crypto.getRandomValues(new Uint8Array(1))', 'ReferenceError'],
      ['setTimeout(() => {}, 1)', 'ReferenceError'],
      ['new WeakRef({})', 'ReferenceError'],
      ['new FinalizationRegistry(() => {})', 'ReferenceError'],
      ['new SharedArrayBuffer(8)', 'ReferenceError'],
    ])('%s throws', async (expression, error) => {
      const result = await failWith(`() => ${expression}`, 'THREW')
      expect(result).toMatchObject({ message: expect.stringContaining(error) })
    })
    test('nothing survives from one run to the next', async () => {
      await give(
        '() => { globalThis.left = 1; Object.prototype.left = 1; Array.prototype.map = 1; return 0 }',
      )
      expect(await give('() => [typeof left, typeof {}.left, typeof [].map]')).toEqual([
        'undefined',
        'undefined',
        'function',
      ])
    })
    test('runs asked for at once come back each with its own output', async () => {
      const runs = Array.from({ length: 10 }, (_, index) => give('(x) => x * x', index))
      expect(await Promise.all(runs)).toEqual([0, 1, 4, 9, 16, 25, 36, 49, 64, 81])
    })
    test('the same job gives the same bytes twenty times', async () => {
      const expression = '(x) => [Math.sin(x), Math.exp(x), 0.1 + x, [3, 1, 2].sort(), "İ".toLowerCase()]'
      const seen = new Set<string>()
      for (let index = 0; index < 20; index++) seen.add(JSON.stringify(await give(expression, 0.7)))
      expect(seen.size).toBe(1)
    })
  })

  describe('ambient authority', () => {
    test('no global but the language itself is there', async () => {
      const names = [
        ...[
          'process',
          'require',
          'module',
          'Buffer',
          'fetch',
          'XMLHttpRequest',
          'WebSocket',
          'Worker',
          'global',
        ],
        ...['window', 'self', 'document', 'navigator', 'Deno', 'Bun', 'std', 'os', 'scriptArgs', 'print'],
        ...[
          'WebAssembly',
          'Atomics',
          'SharedArrayBuffer',
          'performance',
          'crypto',
          'queueMicrotask',
          'structuredClone',
        ],
        ...['InternalError', 'WeakRef', 'bjson', 'load', 'loadScript', 'importScripts', 'console2'],
      ]
      expect(await give('(names) => names.filter((name) => name in globalThis)', names)).toEqual([])
    })
    test.each([
      ['eval of a string', 'eval("1")'],
      ['indirect eval', '(0, eval)("1")'],
      ['the Function constructor', 'new Function("return 1")()'],
      ['constructor.constructor', '(() => {}).constructor.constructor("return globalThis")()'],
      ['a generator constructor', '(function* () {}).constructor("yield 1")().next()'],
      ['an async constructor', '(async () => {}).constructor("return 1")()'],
      ['an async generator constructor', '(async function* () {}).constructor("yield 1")()'],
      ['Reflect.construct', 'Reflect.construct(Function, ["return 1"])()'],
      [
        'the constructor found through Object.getPrototypeOf',
        'Object.getPrototypeOf(class {}).constructor("1")',
      ],
    ])('%s makes no code', async (_name, expression) => {
      await failWith(`() => ${expression}`, 'THREW')
    })
    test('a dynamic import gives no module', async () => {
      await failWith('() => import("node:fs")', 'OUTPUT_NOT_JSON')
      expect(
        await give(
          '() => { let got = "nothing"; import("fs").then(() => { got = "module" }, () => {}); return got }',
        ),
      ).toBe('nothing')
    })
    test('static imports do not parse', async () => {
      const result = await run({
        code: 'import fs from "node:fs"; globalThis.sealpool = { go: () => 1 }',
        entry: 'go',
        input: null,
        limits,
      })
      expect(result).toMatchObject({ ok: false, code: 'CODE_INVALID' })
    })
    test.each([
      ['JSON', 'JSON.parse = JSON.stringify = () => "forged"; return 1'],
      [
        'Array.prototype',
        'for (const k of Object.getOwnPropertyNames(Array.prototype)) try { Array.prototype[k] = () => { throw 1 } } catch {} return 1',
      ],
      [
        'Object.prototype setters',
        'Object.defineProperty(Object.prototype, "ok", { set() { throw 1 }, get() { return false } }); return 1',
      ],
      ['Symbol.toPrimitive', 'Number.prototype[Symbol.toPrimitive] = () => 2; return 1'],
      [
        'String.prototype',
        'for (const k of Object.getOwnPropertyNames(String.prototype)) if (k !== "constructor" && k !== "length") String.prototype[k] = () => "x"; return 1',
      ],
      ['RegExp.prototype.exec', 'RegExp.prototype.exec = () => ["forged", "9999"]; return 1'],
      [
        'Function.prototype.call',
        'Function.prototype.call = Function.prototype.bind = Function.prototype.apply = () => 2; return 1',
      ],
    ])('rewriting %s does not reach the harness', async (_name, body) => {
      expect(await give(`() => { ${body} }`)).toBe(1)
    })
    test('a toJSON on Object.prototype changes what the code returns and nothing else', async () => {
      expect(await give('() => { Object.prototype.toJSON = () => 7; return { a: 1 } }')).toBe(7)
      expect(await give('() => ({ a: 1 })')).toEqual({ a: 1 })
    })
    test('a proxy or getter cannot smuggle what was not checked', async () => {
      await failWith(
        '() => { let n = 0; return { get a() { return n++ ? () => 1 : NaN } } }',
        'OUTPUT_NOT_JSON',
      )
      await failWith('() => ({ toJSON() { return () => 1 } })', 'OUTPUT_NOT_JSON')
      await failWith('() => new Proxy({}, { get() { throw new RangeError("canary") } })', 'OUTPUT_NOT_JSON')
    })
  })
}
