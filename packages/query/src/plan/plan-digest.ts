import { type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import type { PlanPool } from '../catalogue/catalogue.js'
import { QueryError } from '../errors.js'
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

/** A policy is much longer than a plan, and the same at every plan: its digest is kept with the text that it is of. */
const policyDigests = new WeakMap<object, { readonly text: string; readonly digest: Digest }>()

/**
 * The digest of a pool's policy: SHA-256 of its canonical JSON, as the chain records it. Members that are undefined are not there.
 *
 * @throws QueryError `POLICY_UNSUPPORTED` for what is no JSON, such as half of a surrogate pair in a description
 */
export function policyDigestOf({ name, policy }: Pick<PlanPool, 'name' | 'policy'>): Digest {
  try {
    // The text is compared, so that a policy that was changed in place has another digest.
    const text = JSON.stringify(policy)
    const known = policyDigests.get(policy)
    if (known?.text === text) return known.digest
    const digest = digestOf(JSON.parse(text) as JsonValue)
    policyDigests.set(policy, { text, digest })
    return digest
  } catch (error) {
    throw new QueryError('POLICY_UNSUPPORTED', `pools.${name}`, { cause: error })
  }
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
