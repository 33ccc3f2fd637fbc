import {
  type Digest,
  decodeBase64Url,
  digestOf,
  encodeHex,
  type Hex,
  type JsonValue,
  parseSignedStatement,
  sha256Digest,
  statementDigest,
} from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import { parseNodeEvidence } from '../evidence/node-evidence.js'
import { isSignedBy } from '../receipt/signed-by.js'
import type { ReceiptVerdict } from '../receipt/verify.js'

/**
 * The short form of a receipt, in the words in which proofs of such computations are often passed on. It is a view: nothing signs it, and
 * whoever has it alone knows no more than its sender says. From the receipt's bundle it is made again, and compared.
 */
export interface ComputationProof {
  /** Digest of the receipt's statement: on inputs, code or plan, policies, budgets, result and machine. The chain records it. */
  readonly computation_hash: Digest
  /** When the receipt was issued, ISO. */
  readonly timestamp: string
  /** The quote or report of the machine that signed. */
  readonly tee_attestation: Hex
  /** One for each pool: `ds_` and the Merkle root of the contributions that were read. */
  readonly datasets: readonly string[]
  /** Whether no hardware is proved to stand behind it. */
  readonly simulated: boolean
}

/**
 * Writes the short proof of a verified computation.
 *
 * @param verdict from `verifyReceipt`
 * @param about the `receipt` and the `evidence` that it is about, as JSON
 * @returns undefined when the verdict is not ok or the job was refused: nothing was computed that could be vouched for
 * @throws AttestError `BAD_ARGUMENT` when they are not what the verdict is about; CryptoError, AttestError `BAD_EVIDENCE` when they are none
 *
 * @example
 * ```ts no-run
 * const verdict = verifyReceipt({ ...bundle, trust, deployment, at: new Date() })
 * console.log(computationProof(verdict, bundle)?.computation_hash)
 * ```
 */
export function computationProof(
  verdict: ReceiptVerdict,
  about: { readonly receipt: unknown; readonly evidence?: unknown },
): ComputationProof | undefined {
  const { ok, body, evidence: node, simulated } = verdict
  if (!ok || body === null || node === null || body.outcome !== 'released') return undefined
  const signed = parseSignedStatement(about.receipt as JsonValue)
  const { statement } = signed
  // The digest is over the type as well, and only what the node has signed is what the verdict is about.
  const isSame =
    digestOf(statement.body) === digestOf(body as unknown as JsonValue) &&
    isSignedBy(signed, node.keySet.statement.address)
  if (!isSame) throw new AttestError('BAD_ARGUMENT', 'about.receipt', 'The verdict is about another receipt')
  const quote = decodeBase64Url(parseNodeEvidence(about.evidence).quote)
  if (sha256Digest(quote) !== node.quoteDigest)
    throw new AttestError('BAD_ARGUMENT', 'about.evidence', 'The verdict is about another quote')
  return {
    computation_hash: statementDigest(statement),
    timestamp: body.issuedAt,
    tee_attestation: encodeHex(quote),
    datasets: body.pools.map(({ inputs }) => inputs.root.replace('sha256:', 'ds_')),
    simulated,
  }
}
