import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { build } from 'esbuild'
import fc from 'fast-check'
import { hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query'
import { beforeAll, describe, expect, it } from 'vitest'
import { planDigest, templateDigest } from '../plan/plan-digest.js'
import { planQuery } from '../plan/plan-query.js'
import { corpus } from '../testing/corpus.js'
import { hostile } from '../testing/hostile.js'
import { testPools } from '../testing/pools.js'
import { openSqlGrammar, type SqlGrammar, SqlSyntaxError } from './sql-grammar.js'

const path = createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm')
let grammar: SqlGrammar

beforeAll(async () => {
  await loadModule()
  grammar = await openSqlGrammar(await readFile(path))
})

/** What libpg-query's own JavaScript gives for a text. */
const theirs = (sql: string) => {
  try {
    return { tokens: scanSync(sql).tokens, tree: parseSync(sql) }
  } catch (error) {
    return { place: hasSqlDetails(error) ? error.sqlDetails?.cursorPosition : 0 }
  }
}
const ours = async (sql: string) => {
  try {
    return { tokens: await grammar.scan(sql), tree: await grammar.parse(sql) }
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error
    return { place: error.byte }
  }
}

describe('the grammar', () => {
  it("reads as libpg-query's own JavaScript does: the corpus and the hostile statements", async () => {
    for (const sql of [...corpus, ...Object.values(hostile).flat()]) {
      if (sql === '' || sql.includes('\0')) continue
      expect(await ours(sql)).toEqual(theirs(sql))
    }
  })

  it('reads any text as it does, and says the same place of a fault', async () => {
    const word = fc.constantFrom(
      'select',
      'from',
      'é',
      "'a",
      '(',
      ')',
      '"',
      '$1',
      'group by',
      '/*',
      '1',
      '=',
      'x',
    )
    const text = fc.oneof(
      fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' ')),
      fc.string({ minLength: 1, unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(text, async (sql) => {
        fc.pre(!sql.includes('\0') && !/\p{Surrogate}/u.test(sql))
        expect(await ours(sql)).toEqual(theirs(sql))
      }),
      { numRuns: 400 },
    )
  })

  it('is another file never', async () => {
    const wasm = await readFile(path)
    wasm[wasm.length - 1] = (wasm.at(-1) ?? 0) ^ 1
    for (const bytes of [wasm, new Uint8Array(0), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)]) {
      await expect(openSqlGrammar(bytes)).rejects.toMatchObject({ code: 'GRAMMAR_UNAVAILABLE' })
    }
  })

  it('stays usable after texts that are far too large for it, and keeps no memory of them', async () => {
    const simple = await grammar.parse('SELECT 1')
    const large = [
      `SELECT ${'('.repeat(200_000)}1`,
      `SELECT 1${'+1'.repeat(200_000)}`,
      `SELECT ${'f('.repeat(50_000)}${')'.repeat(50_000)}`,
      `SELECT 1 WHERE ${Array.from({ length: 50_000 }, (_, index) => `a=${index}`).join(' AND ')}`,
    ]
    for (const sql of large) {
      await grammar.parse(sql).catch((error: unknown) => expect(error).toBeInstanceOf(SqlSyntaxError))
      expect(await grammar.parse('SELECT 1')).toEqual(simple)
    }
  })

  it('takes a text whole or not at all: C would stop at a zero', async () => {
    await expect(grammar.parse('SELECT 1\0; DROP TABLE x')).rejects.toBeInstanceOf(SqlSyntaxError)
    await expect(grammar.scan('SELECT 1\0')).rejects.toBeInstanceOf(SqlSyntaxError)
  })

  it('answers many at once, each its own', async () => {
    const texts = corpus.slice(0, 60)
    const together = await Promise.all(texts.map((sql) => grammar.parse(sql)))
    for (const [index, sql] of texts.entries()) expect(together[index]).toEqual(parseSync(sql))
  })
})

describe('planning with a grammar that is given', () => {
  const sql = 'SELECT sector, avg(wage) FROM pay.workers GROUP BY sector'
  const options = { sql, pools: testPools(), budget: { epsilon: 1, delta: 0 } }

  it('is planning with the installed one', async () => {
    expect(planDigest(await planQuery({ ...options, grammar }))).toBe(planDigest(await planQuery(options)))
    expect(await templateDigest(sql, grammar)).toBe(await templateDigest(sql))
  })

  it('goes through the checks all the same, whatever a port gives', async () => {
    const odd = [null, {}, { stmts: 7 }, { stmts: [{}, {}] }, { stmts: [{ stmt: { DropStmt: {} } }] }]
    for (const tree of odd) {
      const port = { scan: async () => [], parse: async () => tree }
      await expect(planQuery({ ...options, grammar: port })).rejects.toMatchObject({ code: 'NOT_A_SELECT' })
    }
    const failing = { scan: async () => [], parse: async () => Promise.reject(new Error('secret')) }
    const error = await planQuery({ ...options, grammar: failing }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'SYNTAX' })
    expect(String(error)).not.toContain('secret')
  })
})

it('the built package is bundled for browsers without any setting, and names no module of Node', async () => {
  const { outputFiles, warnings } = await build({
    stdin: {
      contents: "export * from '@sealpool/query'",
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  expect(warnings).toEqual([])
  const text = outputFiles[0]?.text ?? ''
  expect(text).toContain('sealpool/query-plan')
  expect(text).not.toMatch(/(?:import|require)\s*\(?\s*['"]node:/)
  expect(text).not.toMatch(/from\s*['"]/)
})
