import {
  CryptoError,
  digestOf,
  type JsonObject,
  type JsonValue,
  parseSignedStatement,
  type SignedStatement,
  statementDigest,
} from '@sealpool/crypto'
import type { ReceiptBody } from './receipt.js'
import { isSignedBy } from './signed-by.js'
import { statementFormProblem } from './statement-form.js'

/**
 * Whether the other homes of a job's pools have signed for what its receipt says of them.
 *
 * @param receipt - the receipt, parsed
 * @param body - what it says
 * @param shares - what the homes have signed, `sealpool/share` and `sealpool/share-refusal` statements, as JSON, in any order
 * @returns undefined when each home that the receipt names has signed for its pools as they stand in the receipt, and the one that
 *   refused for its reason, else what is wrong
 */
export function sharesProblem(
  receipt: SignedStatement,
  body: ReceiptBody,
  shares: readonly unknown[],
): string | undefined {
  const { homes = [], refusedBy } = body
  const named = homes.length + (refusedBy === undefined ? 0 : 1)
  if (shares.length !== named)
    return `the receipt names ${named} shares and refusals of homes, not ${shares.length}`
  const given = new Map<string, SignedStatement>()
  for (const share of shares) {
    try {
      // First what bounds its depth.
      const signed = parseSignedStatement(share as JsonValue)
      const problem = statementFormProblem(share as SignedStatement)
      if (problem !== undefined) return `a share: ${problem}`
      given.set(statementDigest(signed.statement), signed)
    } catch (error) {
      if (error instanceof CryptoError) return `a share is no signed statement: ${error.message}`
      throw error
    }
  }
  const pools = new Map(body.pools.map((pool) => [pool.pool.toLowerCase(), digestOf(pool as JsonObject)]))
  for (const { share, ...home } of homes) {
    const type = 'sealpool/share'
    const signed = given.get(share)
    const problem = wordProblem({ receipt, body, signed, home, word: { type, name: 'share' } })
    if (problem !== undefined) return problem
    const said = signed?.statement.body ?? {}
    if (said['coordinatorKeys'] !== body.keySet)
      return `the share of ${home.node} is of another job, plan or node`
    const theirs = said['pools']
    if (!Array.isArray(theirs) || theirs.length === 0) return `the share of ${home.node} names no pool`
    for (const one of theirs as JsonValue[]) {
      const name = String((one as JsonObject | null)?.['pool']).toLowerCase()
      if (pools.get(name) !== digestOf(one))
        return `the receipt says something else of pool ${name} than its home has signed`
      // Each pool has one home.
      pools.delete(name)
    }
  }
  if (refusedBy !== undefined) {
    const { refusal, reason, charged, ...home } = refusedBy
    const type = 'sealpool/share-refusal'
    const signed = given.get(refusal)
    const problem = wordProblem({ receipt, body, signed, home, word: { type, name: 'refusal' } })
    if (problem !== undefined) return problem
    const said = signed?.statement.body ?? {}
    if (said['reason'] !== reason || said['charged'] !== charged)
      return `the receipt says something else of why ${home.node} refused than it has signed`
  }
  // The node that signs the receipt has pools of its own.
  return pools.size === 0 ? 'no pool is left that the receipt’s own node charged' : undefined
}

/** What is wrong with one home's word, whatever it is. */
function wordProblem(options: {
  readonly receipt: SignedStatement
  readonly body: ReceiptBody
  readonly signed: SignedStatement | undefined
  readonly home: Pick<NonNullable<ReceiptBody['refusedBy']>, 'node' | 'keySet' | 'quote'>
  readonly word: { readonly type: string; readonly name: string }
}): string | undefined {
  const { receipt, body, signed, home, word } = options
  const problem = (why: string) => `the ${word.name} of ${home.node} is ${why}`
  if (signed === undefined) return problem('another one')
  const { statement, context } = signed
  if (statement.type !== word.type || !isSignedBy(signed, home.node)) return problem('not signed by it')
  if (context.chainId !== receipt.context.chainId || context.registry !== receipt.context.registry)
    return problem('signed for another chain or registry')
  if (context.subject !== receipt.context.subject) return problem('signed for another job')
  const said = statement.body
  const same =
    said['job'] === body.job.id &&
    said['manifest'] === body.job.manifest &&
    said['plan'] === body.plan &&
    said['coordinator'] === receipt.signer &&
    said['keySet'] === home.keySet &&
    said['quote'] === home.quote
  return same ? undefined : problem('of another job, plan or node')
}
