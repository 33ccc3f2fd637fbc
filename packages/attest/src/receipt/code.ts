import type { Digest, JsonValue } from '@sealpool/crypto'
import { type CheckAnswer, fail, notChecked, pass } from '../verdict/check-list.js'
import type { PoolRules } from './documents.js'
import type { ReceiptBody } from './receipt.js'

/** A field of a JSON object, undefined for anything else. */
function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Record<string, JsonValue>)[name] : undefined
}

/**
 * Whether the code that ran is one that every pool allows. A query has no code but its plan. A compute job's code digest must
 * be allowed by each pool, by digest or by the computation's name; a name counts only when something that is itself checked
 * ties it to the digest: the plan (a top-level field that holds the digest) or the verifier's own knowledge. A program, whose code
 * is nobody's built-in one, must be listed by each pool as well, or the pool leaves programs to its votes.
 *
 * @param input the receipt, the pools' rules, and documents whose digests were checked before
 * @returns the check's answer
 */
export function codeAnswer(input: {
  readonly body: ReceiptBody
  readonly rules: readonly PoolRules[]
  readonly manifest: JsonValue | undefined
  readonly plan: JsonValue | undefined
  readonly code: Digest | undefined
}): CheckAnswer {
  const { body, rules, manifest, plan } = input
  const { code } = body
  if (input.code !== undefined && input.code !== code)
    return fail('another code ran than the verifier expects')
  if (code === null) {
    if (body.job.kind === 'query') return pass('A query runs no code of its own: its plan is its code.')
    return body.outcome === 'refused' ? pass('No code ran.') : fail('a compute job names no code')
  }
  if (body.job.kind === 'query') return fail('a query names code')
  const name = field(field(manifest, 'compute'), 'computation')
  const allowed = rules.every(({ computations, programs }) => {
    if (computations.includes(code)) return true
    if (typeof name !== 'string' || !computations.includes(name)) return false
    return name !== 'program' || programs === 'voted' || programs?.includes(code) === true
  })
  if (!allowed) return fail('a pool does not allow this computation')
  const byDigest = rules.length > 0 && rules.every(({ computations }) => computations.includes(code))
  const inPlan = typeof plan === 'object' && plan !== null && Object.values(plan).includes(code)
  if (byDigest || inPlan || input.code === code) return pass('Every pool allows it.')
  if (body.outcome === 'refused') return pass('The job was refused; nothing came out of this code.')
  return notChecked('Neither plan nor policies nor the verifier tie the computation’s name to its digest.')
}
