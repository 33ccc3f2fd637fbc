import { type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import type { PlanPool } from '../catalogue/catalogue.js'
import { parseSelect } from '../parse/parse.js'
import type { SqlGrammar } from '../parse/sql-grammar.js'
import type { QueryPlan } from './plan.js'

/**
 * The digest of a plan: SHA-256 of its canonical JSON (RFC 8785). Receipts carry it, and equal plans on equal data are one
 * answer.
 *
 * @param plan a plan of `planQuery`
 * @returns `sha256:` and 64 lower-case hexadecimal digits
 */
export function planDigest(plan: QueryPlan): Digest {
  return digestOf(plan as unknown as JsonValue)
}

/** The digest of a pool's policy: SHA-256 of its canonical JSON, as the chain records it. Members that are undefined are not there. */
export function policyDigestOf({ policy }: Pick<PlanPool, 'policy'>): Digest {
  return digestOf(JSON.parse(JSON.stringify(policy)) as JsonValue)
}

/**
 * The digest of a statement as an approved template: of what it says, without places, white space and comments.
 * Parameters (`$1`) are part of it, their values are not.
 *
 * @param sql one SELECT
 * @param grammar PostgreSQL's grammar; in Node the installed one when absent
 * @returns `sha256:` and 64 lower-case hexadecimal digits
 * @throws QueryError as parsing does
 */
export async function templateDigest(sql: string, grammar?: SqlGrammar): Promise<Digest> {
  return syntaxDigest(await parseSelect(sql, grammar))
}

/** Digest of a parsed statement. */
export function syntaxDigest(syntax: unknown): Digest {
  const text = JSON.stringify(syntax, (key, value: unknown) => (key === 'span' ? undefined : value))
  return digestOf(JSON.parse(text) as JsonValue)
}
