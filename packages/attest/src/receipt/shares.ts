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
 * @param shares - the homes' `sealpool/share` statements, as JSON, in any order
 * @returns undefined when each home that the receipt names has signed for its pools as they stand in the receipt, else what is wrong
 */
export function sharesProblem(
  receipt: SignedStatement,
  body: ReceiptBody,
  shares: readonly unknown[],
): string | undefined {
  const { homes = [] } = body
  if (shares.length !== homes.length) return `the receipt names ${homes.length} shares, not ${shares.length}`
  const given = new Map<string, SignedStatement>()
  for (const share of shares) {
    try {
      const problem = statementFormProblem(share as SignedStatement)
      if (problem !== undefined) return `a share: ${problem}`
      const signed = parseSignedStatement(share as JsonValue)
      given.set(statementDigest(signed.statement), signed)
    } catch (error) {
      if (error instanceof CryptoError) return `a share is no signed statement: ${error.message}`
      throw error
    }
  }
  const pools = new Map(body.pools.map((pool) => [pool.pool.toLowerCase(), digestOf(pool as JsonObject)]))
  for (const home of homes) {
    const signed = given.get(home.share)
    if (signed === undefined) return `the share of ${home.node} is another one`
    const { statement, context } = signed
    if (statement.type !== 'sealpool/share' || !isSignedBy(signed, home.node))
      return `the share of ${home.node} is not signed by it`
    if (context.chainId !== receipt.context.chainId || context.registry !== receipt.context.registry)
      return `the share of ${home.node} was signed for another chain or registry`
    const said = statement.body
    const same =
      said['job'] === body.job.id &&
      said['manifest'] === body.job.manifest &&
      said['plan'] === body.plan &&
      said['coordinator'] === receipt.signer &&
      said['coordinatorKeys'] === body.keySet &&
      said['keySet'] === home.keySet &&
      said['quote'] === home.quote
    if (!same) return `the share of ${home.node} is of another job, plan or node`
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
  // The node that signs the receipt has pools of its own.
  return pools.size === 0 ? 'no pool is left that the receipt’s own node charged' : undefined
}
