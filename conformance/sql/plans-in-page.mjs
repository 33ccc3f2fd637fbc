// What a page does with a statement before anybody is asked: the plan's digest and its explanation, or the whole refusal.
import { canonicalize } from '@sealpool/crypto'
import { explainPlan, openSqlGrammar, planDigest, planQuery, QueryError } from '@sealpool/query'

/**
 * @param options.statements texts, planned one after the other
 * @param options.grammar the installed one of Node when absent
 * @returns a text for each statement; the same text means the same plan, explained in the same words, or the same refusal
 */
export async function planAll({ statements, pools, publicTables, budget, grammar }) {
  const outcomes = []
  for (const sql of statements) {
    try {
      const plan = await planQuery({
        sql,
        pools,
        publicTables,
        budget,
        ...(grammar === undefined ? {} : { grammar }),
      })
      outcomes.push(`${planDigest(plan)} ${canonicalize(explainPlan(plan))}`)
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      outcomes.push(`${error.code}: ${error.message}`)
    }
  }
  return outcomes
}

/** Runs in the page: a page without a grammar must be told so, and what it plans with one is compared with Node. */
export async function inPage({ wasm, ...question }) {
  const [statement] = question.statements
  const [without] = await planAll({ ...question, statements: [statement] })
  const grammar = await openSqlGrammar(Uint8Array.from(atob(wasm), (letter) => letter.charCodeAt(0)))
  const started = performance.now()
  const outcomes = await planAll({ ...question, grammar })
  return { without, outcomes, milliseconds: performance.now() - started }
}
