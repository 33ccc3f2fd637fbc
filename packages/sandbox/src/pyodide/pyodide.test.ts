import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProcessRuntime } from '../process/index.js'
import type { JobRuntime, JsonValue } from '../runtime.js'

const installed = isInstalled()
if (!installed) console.warn('skipped: the optional peer pyodide is not installed')

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('pyodide')
    return true
  } catch {
    return false
  }
}

const limits = { memoryBytes: 192 * 2 ** 20, timeMs: 20_000, outputBytes: 10_000 }

describe.runIf(installed)('Python in Pyodide', () => {
  let runtime: JobRuntime
  beforeAll(async () => {
    runtime = await createProcessRuntime({ isolation: 'best', engine: 'pyodide' })
  })
  afterAll(() => runtime.close())
  const go = (code: string, input: JsonValue = 'canary-4711', own = {}, entry = 'go') =>
    runtime.run({ code, entry, input, limits: { ...limits, ...own } })
  /** Python lines that each must hold true, told by number; one interpreter for all of them. */
  const each = async (lines: readonly string[]) => {
    const cases = lines.map((line) => `  out.append(attempt(lambda: ${line}))`)
    return go(
      [
        'def attempt(f):',
        '  try:',
        '    return repr(f())',
        '  except BaseException as e:',
        '    return type(e).__name__',
        'def go(x):',
        '  out = []',
        ...cases,
        '  return out',
      ].join('\n'),
    )
  }

  test('time stands still and random bytes are the same, whatever asks for them', async () => {
    const asked = [
      '__import__("time").time()',
      '__import__("time").monotonic()',
      '__import__("datetime").datetime.now().isoformat()',
      '__import__("datetime").date(2024, 7, 1).strftime("%j")',
      '__import__("time").localtime(1720000000).tm_yday',
      '__import__("os").urandom(8)',
      '__import__("random").random()',
      '__import__("secrets").token_hex(4)',
      '__import__("uuid").uuid4()',
      'hash("abc")',
      'list({"b", "a", "c"})',
    ]
    const first = await each(asked)
    expect(first).toMatchObject({ ok: true })
    expect(first.ok && (first.output as string[]).slice(0, 5)).toEqual([
      '946684800.0',
      '0.0',
      "'2000-01-01T00:00:00'",
      "'183'",
      '185',
    ])
    expect(await each(asked)).toEqual(first)
  })

  test('JavaScript, the network, processes and the files of the host are out of reach', async () => {
    const result = await each([
      '__import__("js")',
      '__import__("pyodide")',
      '__import__("pyodide.code")',
      '__import__("pyodide_js")',
      '__import__("_pyodide_core")',
      '__import__("importlib").import_module("js")',
      '[__import__("sys").modules.pop("js"), __import__("importlib").import_module("js")]',
      '__import__("ctypes")',
      '__import__("subprocess").run(["id"])',
      '__import__("os").system("id")',
      '__import__("os").fork()',
      'open("/etc/passwd").read()',
      'open("/app/node").read()',
      '__import__("urllib.request").request.urlopen("http://127.0.0.1:1")',
      '__import__("threading").Thread(target=print).start()',
      '[c for c in object.__subclasses__() if "JsProxy" in c.__name__][0]().constructor.constructor("return process")()',
      '__import__("sys").modules["js"].process',
    ])
    expect(result).toMatchObject({ ok: true })
    for (const answer of result.ok ? (result.output as string[]) : []) {
      expect(answer).toMatch(/^(\w*(Error|Exception)|32512|-1)$/)
    }
  })

  test.each<[string, string, string, object]>([
    ['a loop without end', 'def go(x):\n  while True: pass', 'TIMEOUT', { timeMs: 300 }],
    ['a list that does not fit', 'def go(x): return [1] * 10 ** 9', 'OUT_OF_MEMORY', {}],
    ['recursion without end', 'def go(x): return go(x)', 'STACK_OVERFLOW', {}],
    ['an error', 'def go(x):\n\n  raise ValueError(x)', 'THREW', {}],
    [
      'an error of its own class',
      'def go(x): raise type(x.replace("-", ""), (Exception,), {})(x)',
      'THREW',
      {},
    ],
    ['text that does not parse', 'def go(x) return', 'CODE_INVALID', {}],
    ['no such function', 'def other(x): return 1', 'ENTRY_MISSING', {}],
    ['NaN', 'def go(x): return float("nan")', 'OUTPUT_NOT_JSON', {}],
    ['a set', 'def go(x): return {1}', 'OUTPUT_NOT_JSON', {}],
    ['a lone surrogate', 'def go(x): return "\\ud800"', 'OUTPUT_NOT_JSON', {}],
    ['too long an output', 'def go(x): return "x" * 20000', 'OUTPUT_TOO_LARGE', {}],
    ['an exit', 'def go(x): exit(3)', 'THREW', {}],
  ])('%s is told without what the code saw', async (_name, code, expected, own) => {
    const result = await go(code, 'canary-4711', own)
    expect(result).toMatchObject({ ok: false, code: expected })
    expect(JSON.stringify(result)).not.toContain('canary')
  })

  test('an existing proof runs unchanged: modules of its own, /input, the environment, /output/results.json', async () => {
    const code = JSON.stringify({
      main: 'my_proof',
      files: {
        'my_proof/__init__.py': '',
        'my_proof/proof.py':
          'import json, os\ndef results():\n    rows = json.load(open("/input/account.json"))\n    return {"dlp_id": 1, "valid": os.environ["USER_EMAIL"] == rows["email"], "score": 0.5}',
        'my_proof/__main__.py':
          'import json\nfrom my_proof.proof import results\nif __name__ == "__main__":\n    print("Proof generated")\n    json.dump(results(), open("/output/results.json", "w"))',
      },
    })
    const input = {
      files: { 'account.json': '{"email":"a@example.org"}' },
      env: { USER_EMAIL: 'a@example.org' },
    }
    expect(await go(code, input, {}, '__main__')).toEqual({
      ok: true,
      output: { dlp_id: 1, valid: true, score: 0.5 },
      logs: ['Proof generated'],
    })
    const outside = { files: { '../../etc/x': 'a' } }
    expect(await go(code, outside, {}, '__main__')).toMatchObject({ ok: false, code: 'THREW' })
  })
})
