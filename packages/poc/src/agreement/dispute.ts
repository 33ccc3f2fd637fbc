import {
  type Address,
  canonicalize,
  type Digest,
  type JsonObject,
  type SignedStatement,
} from '@sealpool/crypto'
import { PocError } from '../errors.js'
import { type PocVerdict, verdictDigest } from '../verdict/verdict.js'
import { type ExpectedVerdict, type VerifiedVerdict, verifyVerdict } from '../verdict/verdict-statement.js'

/**
 * Two signed verdicts on one contribution, by the same code over the same inputs, that say different things. Proofs are deterministic, so at
 * least one of the signers is wrong or lies; with both statements anybody can see that, and run the code again where the data may be seen.
 */
export interface DisputeEvidence {
  /** `mismatch`: of two validators. `double-vote`: both of one, a proof against him alone. */
  readonly kind: 'mismatch' | 'double-vote'
  readonly statements: readonly [SignedStatement, SignedStatement]
}

/** What evidence shows. */
export interface Dispute {
  readonly kind: DisputeEvidence['kind']
  /** Who signed, in the order of the statements. */
  readonly signers: readonly [Address, Address]
  readonly digests: readonly [Digest, Digest]
  /** Fields of the verdict that differ, by name in order. */
  readonly fields: readonly string[]
}

/**
 * Puts two verified verdicts side by side.
 *
 * @param left one
 * @param right another that says something else
 * @returns evidence that anybody can check with `checkDispute`
 */
export function disputeBetween(left: VerifiedVerdict, right: VerifiedVerdict): DisputeEvidence {
  return {
    kind: left.signer === right.signer ? 'double-vote' : 'mismatch',
    statements: [left.statement, right.statement],
  }
}

/**
 * Checks evidence of a dispute from anyone, offline.
 *
 * @param hostile what came, of any form
 * @param expected what both statements must be about; its context names the inputs
 * @returns who said what, and in which fields they differ
 * @throws PocError as `verifyVerdict` for a statement that does not hold; `STATEMENT_INVALID` at `statements` for what is no pair;
 *   `NO_DISPUTE` when both say the same
 */
export function checkDispute(hostile: unknown, expected: ExpectedVerdict): Dispute {
  const statements: unknown =
    typeof hostile === 'object' && hostile !== null && 'statements' in hostile
      ? hostile.statements
      : undefined
  if (!Array.isArray(statements) || statements.length !== 2) {
    throw new PocError('STATEMENT_INVALID', 'statements', 'evidence of a dispute has two signed verdicts')
  }
  const left = verifyVerdict(statements[0], expected)
  const right = verifyVerdict(statements[1], expected)
  if (wordOf(left.verdict) === wordOf(right.verdict)) {
    throw new PocError('NO_DISPUTE', 'statements', 'both verdicts say the same; there is nothing to decide')
  }
  return {
    kind: left.signer === right.signer ? 'double-vote' : 'mismatch',
    signers: [left.signer, right.signer],
    digests: [verdictDigest(left.verdict), verdictDigest(right.verdict)],
    fields: differingFields(left.verdict, right.verdict),
  }
}

/**
 * Digest of what a verdict says: an address has several spellings, and who writes another one says nothing else.
 *
 * @param verdict a verdict
 * @returns the same for the same word, and not what stands on chain (`verdictDigest`)
 */
export function wordOf(verdict: PocVerdict): Digest {
  return verdictDigest(normal(verdict))
}

function normal(verdict: PocVerdict): PocVerdict {
  return { ...verdict, pool: verdict.pool.toLowerCase() as Address }
}

/** Names of the fields in which two verdicts differ, in order. */
export function differingFields(left: PocVerdict, right: PocVerdict): string[] {
  const textOf = (verdict: PocVerdict, name: string): string | undefined => {
    const fields: JsonObject = normal(verdict)
    const value = fields[name]
    return value === undefined ? undefined : canonicalize(value)
  }
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].filter((name) => textOf(left, name) !== textOf(right, name)).sort()
}
