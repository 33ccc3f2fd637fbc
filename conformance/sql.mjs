// Attack statements: `attacks.json` with the decision that a private planner must take on each, and `attack-schema.sql`
// with the tables. REJECT items must be refused where there is no engine at all. DP items that run must be noised,
// charged, and within their stated sensitivity on neighbouring data, and all but a fifth of them must run. SAME items must show the same on neighbouring data.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMemoryLedger, platformRandom } from '@sealpool/privacy'
import { answerer, createMemoryAnswers, planQuery, QueryError, releasesOf } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { hasChromium, runInChromium } from './browser/run-in-chromium.mjs'
import { planAll } from './sql/plans-in-page.mjs'
import { compareRecordings, record } from './sql/record.mjs'
import { loadTables, neighboursOf, poolsOf, readSchema } from './sql/schema.mjs'
import { totalsOf } from './sql/totals.mjs'

const budget = { epsilon: 1, delta: 1e-6 }

/** The plan of one statement, or the whole text of its refusal. Anything but a QueryError is a fault and goes on. */
async function plan(sql, { pools, publicTables }) {
  try {
    return { plan: await planQuery({ sql, pools, publicTables, budget }), refusal: null }
  } catch (error) {
    if (error instanceof QueryError) return { plan: null, refusal: `${error.code}: ${error.message}` }
    throw error
  }
}

/** A plan is private when everything that is told has noise or selection and every pool it reads is charged. */
function chargeFault(entry) {
  for (const release of releasesOf(entry)) {
    const hidden = release.statistics.every(
      ({ scale, sensitivity }) => BigInt(scale.numerator) > 0n && BigInt(sensitivity) > 0n,
    )
    if (!hidden || release.statistics.length !== release.program.statistics.length) return 'without noise'
    for (const { pool } of release.program.sources) {
      const charged = entry.pools.find(({ name }) => name === pool)?.charge
      if (charged === undefined || !(charged.epsilon > 0)) return 'without charge'
    }
  }
  return null
}

async function engineWith(tables, schema, pseudonyms) {
  const engine = createDuckDbEngine()
  await loadTables(engine, tables, schema.pools, pseudonyms)
  return engine
}

/** Runs a charged answer twice: the same answer, one charge. */
async function answersOnce(entry, engine, pools) {
  const ledger = createMemoryLedger()
  for (const { address, policy } of pools) await ledger.open(address, policy.privacy)
  const answer = answerer({
    ledger,
    engine,
    answers: createMemoryAnswers(),
    random: platformRandom,
    dataVersion: '1',
  })
  const [first, second] = [await answer(entry), await answer(entry)]
  if (!first.charged || second.charged) return 'not charged exactly once'
  if (JSON.stringify(first.result) !== JSON.stringify(second.result))
    return 'a second answer to the same question'
  for (const { address, charge } of entry.pools) {
    const { state } = await ledger.head(address)
    if (Number(state.epsilonSpent) !== charge.epsilon) return 'the ledger has another charge than the plan'
  }
  return null
}

/**
 * Plans every statement in a page of a real Chromium, from a bundle that names no module of Node, and compares with the plans,
 * explanations and refusals of Node.
 *
 * @returns how many are the same, and how many are not
 */
async function comparePage(items, { pools, publicTables }, print) {
  if (!hasChromium()) {
    print('Chromium: not compared, there is none (CHROMIUM_PATH)')
    return { agree: 0, differ: 0 }
  }
  const question = { statements: items.flatMap(({ sql }) => sql.split(';;')), pools, publicTables, budget }
  const manifest = createRequire(import.meta.url).resolve('@sealpool/query/package.json')
  const wasm = readFileSync(createRequire(manifest).resolve('libpg-query/wasm/libpg-query.wasm'), 'base64')
  const entry = fileURLToPath(new URL('./sql/plans-in-page.mjs', import.meta.url))
  const page = await runInChromium({ entry, input: { ...question, wasm }, print })
  const here = await planAll(question)
  const differ = here.filter((outcome, index) => outcome !== page.outcomes[index]).length
  const told = page.without?.startsWith('GRAMMAR_UNAVAILABLE') ? 0 : 1
  const planned = here.filter((outcome) => outcome.startsWith('sha256:')).length
  print(
    `Chromium: ${planned} plans with their explanations and ${here.length - planned} refusals, ${differ} differ from Node; ${(page.milliseconds / here.length).toFixed(2)} ms each`,
  )
  if (told === 1) print(`Chromium: a page without a grammar was told ${page.without}`)
  return { agree: here.length - differ, differ: differ + told }
}

/**
 * Runs the attack statements of a folder.
 *
 * @returns how many items agree with the decision that a planner must take, and how many differ
 */
export async function run({ data, print }) {
  const files = ['attacks.json', 'attack-schema.sql'].map((name) => join(data, name))
  const missing = files.find((file) => !existsSync(file))
  if (missing !== undefined) {
    print(`sql: ${missing} is missing; give the folder with --data`)
    return { agree: 0, differ: 1 }
  }
  const items = JSON.parse(readFileSync(files[0], 'utf8'))
  const schema = poolsOf(await readSchema(files[1]))
  const { without, heavy } = neighboursOf(schema.tables)
  const pseudonyms = new Map()
  const engines = [
    await engineWith(schema.tables, schema, pseudonyms),
    await engineWith(without, schema, pseudonyms),
    await engineWith(heavy, schema, pseudonyms),
  ]
  const counts = {}
  let primitives = 0
  try {
    for (const item of items) {
      counts[item.decision] ??= { agree: 0, differ: 0, refused: 0 }
      const entry = counts[item.decision]
      const fault = await judge(item)
      if (fault.kind === 'differ') print(`${item.decision} ${item.id}: ${fault.why}: ${item.sql}`)
      if (fault.kind === 'refused')
        print(`${item.decision} ${item.id}: refused before data is touched (${fault.why})`)
      entry[fault.kind] += 1
    }
  } finally {
    for (const engine of engines) await engine.close()
  }

  async function judge(item) {
    const statements = item.sql.split(';;')
    const results = []
    for (const sql of statements) {
      const first = await plan(sql, schema)
      // Nothing but text, policy and schema goes in, so planning again must say exactly the same.
      const second = await plan(sql, schema)
      if (JSON.stringify(first) !== JSON.stringify(second))
        return { kind: 'differ', why: 'planned differently' }
      results.push(first)
    }
    if (item.decision === 'REJECT') {
      const planned = results.some(({ refusal }) => refusal === null)
      return planned ? { kind: 'differ', why: 'planned, should be refused' } : { kind: 'agree' }
    }
    let refused = null
    for (const { plan: made, refusal } of results) {
      if (made === null) {
        refused = refusal.split(':')[0]
        continue
      }
      const charge = chargeFault(made)
      if (charge !== null) return { kind: 'differ', why: charge }
      const recordings = []
      for (const engine of engines) recordings.push(await record(made, engine, platformRandom))
      for (const neighbour of recordings.slice(1)) {
        const compared = compareRecordings(made, recordings[0], neighbour)
        if (compared.fault !== null) return { kind: 'differ', why: compared.fault }
        primitives += compared.primitives
      }
      const once = await answersOnce(made, engines[0], schema.pools)
      if (once !== null) return { kind: 'differ', why: once }
    }
    return refused === null ? { kind: 'agree' } : { kind: 'refused', why: refused }
  }

  const { lines, agree, differ } = totalsOf(counts)
  for (const line of lines) print(line)
  print(
    `${primitives} inputs of noise primitives compared on neighbouring data sets, all within what plans state: ${differ === 0}`,
  )
  const page = await comparePage(items, schema, print)
  return { agree: agree + page.agree, differ: differ + page.differ }
}
