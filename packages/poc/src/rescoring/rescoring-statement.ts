import {
  type Address,
  type Digest,
  digestOf,
  digestToBytes,
  encodeHex,
  type SignedStatement,
} from '@sealpool/crypto'
import { another, invalid, normal, readStatement, same, signerOf } from '../verdict/statement-form.js'
import { parseRescoring, type Rescoring } from './rescoring.js'

/** Type of the signed statement. */
const STATEMENT = { type: 'sealpool/rescoring', version: 1 } as const

/** A rescoring as a node signs it. */
export interface RescoringStatement {
  readonly type: string
  readonly body: Rescoring
  readonly pool: Address
  /** Digest of pool, policy and number, 32 bytes. */
  readonly subject: SignedStatement['context']['subject']
  readonly nonce: string
}

/** What a reader of a rescoring knows beforehand. Nothing of this is taken from the statement. */
export interface ExpectedRescoring {
  readonly chainId: number
  readonly registry: Address
  readonly pool: Address
  /** Digest of the code that the pool approved last; absent: any. */
  readonly poc?: Digest
  /** Whose word counts: the statement keys of the pool's nodes. */
  readonly validators: readonly Address[]
}

/** A rescoring that was read from a signed statement. */
export interface VerifiedRescoring {
  readonly rescoring: Rescoring
  readonly signer: Address
}

/**
 * What is signed of a rescoring. No contract reads it.
 *
 * @param rescoring one part
 * @returns type, body and context of the statement
 * @throws PocError `STATEMENT_INVALID` for a rescoring that contradicts itself
 */
export function rescoringStatement(rescoring: Rescoring): RescoringStatement {
  const { pool, policy, number } = rescoring
  return {
    type: STATEMENT.type,
    body: parseRescoring(rescoring),
    pool,
    subject: encodeHex(digestToBytes(digestOf({ pool, policy, number }))),
    nonce: '0',
  }
}

/**
 * Reads and verifies a signed rescoring offline: signature, place, who was chosen, and what each contribution earns. That scores and digests
 * before it are those of the chain, whoever has the chain compares (`getVerdicts` of `@sealpool/contracts`).
 *
 * @param hostile what came, of any form and depth
 * @param expected what the reader knows
 * @returns the rescoring, and who signed it
 * @throws PocError `VERDICT_OF_ANOTHER_POOL`, `VERDICT_BY_OTHER_CODE`; `STATEMENT_INVALID` naming what else does not hold
 */
export function verifyRescoring(hostile: unknown, expected: ExpectedRescoring): VerifiedRescoring {
  const signed = readStatement(hostile)
  const { body, type, version } = signed.statement
  if (type !== STATEMENT.type || version !== STATEMENT.version) throw invalid('statement.type')
  const rescoring = parseRescoring(body)
  const { chainId, registry, pool, poc } = expected
  if (rescoring.pool !== pool.toLowerCase()) throw another('VERDICT_OF_ANOTHER_POOL')
  if (poc !== undefined && rescoring.poc !== poc) throw another('VERDICT_BY_OTHER_CODE')
  const { subject, nonce } = rescoringStatement(rescoring)
  const context = { chainId, registry, pool, subject, nonce, facts: [] }
  if (!same(normal(signed.context), normal(context))) throw invalid('context')
  return { rescoring, signer: signerOf(signed, expected.validators) }
}
