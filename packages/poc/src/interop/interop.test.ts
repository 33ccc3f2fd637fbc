import { createRequire } from 'node:module'
import { sha256Digest } from '@sealpool/crypto'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PocVerdict } from '../verdict/verdict.js'
import { fromResultsJson, toResultsJson } from './results-json.js'
import { bundlePythonProof, runPythonProof } from './run-python-proof.js'

const verdict: PocVerdict = {
  contribution: '7',
  pool: `0x${'bb'.repeat(20)}`,
  poc: sha256Digest(Uint8Array.of(2)),
  valid: false,
  score: 0,
  authenticity: 1,
  ownership: 0,
  quality: 0.5,
  uniqueness: 1,
  attributes: { rows: 3 },
  metadata: { kind: 'survey' },
  refusal: { code: 'WRONG_OWNER', place: 'account' },
  evidence: [{ check: 'owner', result: 'fail', place: 'account' }],
}

describe('results.json', () => {
  test('goes out and comes back', () => {
    const { contribution: _, pool: __, poc: ___, ...part } = verdict
    const text = JSON.stringify(toResultsJson(verdict, { dlpId: 12 }))
    expect(JSON.parse(text)).toMatchObject({
      dlp_id: 12,
      valid: false,
      metadata: { dlp_id: 12, kind: 'survey' },
    })
    expect(fromResultsJson(JSON.parse(text))).toEqual(part)
  })
  test("of the network's own template is read", () => {
    const theirs = {
      dlp_id: 1234,
      valid: true,
      score: 0.75614141431,
      authenticity: 0,
      ownership: 1.0,
      quality: 7,
      uniqueness: -1,
      attributes: { total_score: 0.5, score_threshold: 0.5, email_verified: true },
      metadata: { dlp_id: 1234 },
    }
    expect(fromResultsJson(theirs)).toEqual({
      valid: true,
      score: 0.7561,
      authenticity: 0,
      ownership: 1,
      quality: 1,
      uniqueness: 0,
      attributes: theirs.attributes,
      refusal: null,
      evidence: [],
    })
    expect(fromResultsJson({ valid: false, score: 1 })).toMatchObject({
      score: 0,
      refusal: { code: 'IMPORTED_INVALID' },
    })
    expect(fromResultsJson({ valid: true, score: 1, attributes: null, metadata: null })).toMatchObject({
      attributes: {},
    })
  })
  test.each([
    [{}, 'valid'],
    [{ valid: true }, 'score'],
    [{ valid: 'yes', score: 1 }, 'valid'],
    [null, 'results'],
    [{ valid: false, score: 0, metadata: { sealpool: { refusal: { code: 'low' } } } }, 'refusal'],
  ])('%j is none', (value, place) => {
    expect(() => fromResultsJson(value)).toThrow(expect.objectContaining({ code: 'VERDICT_INVALID', place }))
  })
  test('any JSON is read or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.double(), (value, score) => {
        for (const one of [value, { valid: true, score, attributes: value, metadata: value }]) {
          try {
            expect(fromResultsJson(one).score).toBeLessThanOrEqual(1)
          } catch (error) {
            expect(error).toMatchObject({ code: 'VERDICT_INVALID' })
          }
        }
      }),
    )
  })
  test.each([-1, 0.5, Number.NaN])('a pool numbered %s is refused', (dlpId) => {
    expect(() => toResultsJson(verdict, { dlpId })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})

const installed = (() => {
  try {
    createRequire(import.meta.url).resolve('pyodide')
    return true
  } catch {
    console.warn('skipped: the optional peer pyodide is not installed')
    return false
  }
})()

describe('a Python proof that does not hold what it is to run', () => {
  test.each([
    ['my_proof', {}],
    ['my_proof', { 'other.py': '', 'my_proof/__init__.py': '' }],
    ['my_proof/__main__.py', { 'my_proof/__main__.py': '' }],
    ['toString', {}],
    ['', { '__main__.py': '' }],
  ])('%j of %j is not bundled, and the error names it', (main, files) => {
    const refusal = { code: 'CODE_INVALID', place: 'main', message: expect.stringContaining(`run "${main}"`) }
    expect(() => bundlePythonProof({ main, files })).toThrow(expect.objectContaining(refusal))
  })
  test('a module in a package, or a file, is found as python -m finds it', () => {
    for (const path of ['a/b.py', 'a/b/__main__.py'])
      expect(JSON.parse(bundlePythonProof({ main: 'a.b', files: { [path]: '' } }).code)).toMatchObject({
        main: 'a.b',
      })
  })
  test.each([
    ['of no module', '{"main":"my_proof","files":{"other.py":""}}', 'my_proof/__main__.py'],
    ['without main', '{"files":{"other.py":""}}', 'bundlePythonProof'],
    ['that is cut off', '{"main":"my_proof","files":{', 'bundlePythonProof'],
  ])('a bundle %s is not run, and its files are not blamed', async (_, code, told) => {
    const runtime = {
      name: 'none',
      isolation: 'process' as const,
      run: () => Promise.reject(new Error('was run')),
      close: async () => undefined,
    }
    const proof = { code, digest: sha256Digest(new TextEncoder().encode(code)) }
    const limits = { memoryBytes: 2 ** 28, timeMs: 20_000, outputBytes: 65_536 }
    await expect(runPythonProof({ proof, runtime, limits, files: {} })).rejects.toMatchObject({
      code: 'CODE_INVALID',
      place: 'proof.code',
      message: expect.stringContaining(told),
    })
  })
})

describe.runIf(installed)('a Python proof', () => {
  const files = {
    'my_proof/__init__.py': '',
    'my_proof/__main__.py': [
      'import json, os, hashlib',
      'rows = json.load(open("/input/export.json"))',
      'valid = os.environ["OWNER"] == rows["account"]',
      'json.dump({"dlp_id": 1, "valid": valid, "score": 0.5 if valid else 0, "quality": len(rows["days"]) / 10,',
      '  "attributes": {"days": len(rows["days"])}, "metadata": {"dlp_id": 1}}, open("/output/results.json", "w"))',
    ].join('\n'),
  }
  const proof = bundlePythonProof({ main: 'my_proof', files })
  const limits = { memoryBytes: 2 ** 28, timeMs: 20_000, outputBytes: 65_536 }
  const input = { 'export.json': new TextEncoder().encode('{"account":"0x1","days":[1,2,3]}') }

  test('has one digest, whatever order its files come in', () => {
    const turned = Object.fromEntries(Object.entries(files).reverse())
    expect(bundlePythonProof({ main: 'my_proof', files: turned })).toEqual(proof)
  })
  test('that throws on its files gave no result, and one that does not load is no code', async () => {
    const runtime = await createProcessRuntime({ isolation: 'best', engine: 'pyodide' })
    const run = (own: object) => runPythonProof({ proof, runtime, limits, files: input, ...own })
    const bad = { 'export.json': new TextEncoder().encode('{"account":') }
    await expect(run({ files: bad })).rejects.toMatchObject({ code: 'PROOF_WITHOUT_RESULT' })
    // A proof that reads a literal of Python meets a syntax error of the file's, not of its own.
    const literal = bundlePythonProof({
      main: 'my_proof',
      files: { 'my_proof.py': 'import ast\nast.literal_eval(open("/input/export.json").read())' },
    })
    for (const one of [
      literal,
      bundlePythonProof({ main: 'my_proof', files: { 'my_proof.py': 'eval("1 +")' } }),
    ])
      await expect(run({ proof: one, files: bad })).rejects.toMatchObject({ code: 'PROOF_WITHOUT_RESULT' })
    const broken = bundlePythonProof({ main: 'my_proof', files: { ...files, 'my_proof/__main__.py': 'if' } })
    await expect(run({ proof: broken })).rejects.toMatchObject({ code: 'CODE_INVALID' })
    await runtime.close()
  })
  test('runs unchanged, gives the same result again, and is told when it is not what was approved', async () => {
    const runtime = await createProcessRuntime({ isolation: 'best', engine: 'pyodide' })
    const run = (own: object = {}) =>
      runPythonProof({ proof, runtime, limits, files: input, environment: { OWNER: '0x1' }, ...own })
    const result = await run()
    expect(result).toMatchObject({ valid: true, score: 0.5, quality: 0.3, attributes: { days: 3 } })
    expect(await run()).toEqual(result)
    expect(await run({ environment: { OWNER: 'other' } })).toMatchObject({ valid: false })
    await expect(run({ proof: { ...proof, code: `${proof.code} ` } })).rejects.toMatchObject({
      code: 'CODE_MISMATCH',
    })
    await runtime.close()
    await expect(run()).rejects.toMatchObject({ code: 'RUNTIME_FAILED' })
  })
})
