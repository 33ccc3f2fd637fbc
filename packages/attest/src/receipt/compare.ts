import {
  type Address,
  CryptoError,
  canonicalBytes,
  type JsonValue,
  parseSignedStatement,
  type SignedStatement,
} from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import { type ReceiptBody, receiptBodySchema, receiptType, receiptVersion } from './receipt.js'
import { isSignedBy } from './signed-by.js'

/** Two receipts that one key signed about one job and that cannot both be true; anyone can verify it alone. */
export type EquivocationProof = {
  format: 'sealpool/equivocation-proof'
  version: 1
  /** The key that signed both. */
  signer: Address
  receipts: [SignedStatement, SignedStatement]
}

/** Answer of {@link compareReceipts}. */
export type ReceiptComparison =
  /** Both parties hold the same result (their sealed copies may differ). */
  | { readonly answer: 'same' }
  /**
   * The receipts are about different jobs, chains or registries: nothing follows. A number alone is no job: after a reorganisation of the
   * chain another manifest or consumer may have it.
   */
  | { readonly answer: 'different-jobs' }
  /** One of them says no more than why nothing was done when it was asked for: a later one may say something else, and nothing follows. */
  | { readonly answer: 'not-final' }
  /** Other nodes signed; their keys decide whom to believe. `differing` is empty when they agree. */
  | { readonly answer: 'different-nodes'; readonly differing: readonly string[] }
  /** One node told two stories. */
  | {
      readonly answer: 'equivocation'
      readonly differing: readonly string[]
      readonly proof: EquivocationProof
    }

interface Opened {
  readonly signed: SignedStatement
  readonly body: ReceiptBody
}

function open(receipt: unknown, place: string): Opened {
  try {
    const signed = parseSignedStatement(receipt as JsonValue)
    const { type, version, body } = signed.statement
    if (type !== receiptType || version !== receiptVersion || !isSignedBy(signed, signed.signer)) {
      throw new AttestError('BAD_RECEIPT', place, 'It is no receipt, or its signature does not verify')
    }
    return { signed, body: receiptBodySchema.parse(body) }
  } catch (cause) {
    if (cause instanceof CryptoError) throw new AttestError('BAD_RECEIPT', place, cause.message, { cause })
    throw cause
  }
}

function withoutCopies(result: NonNullable<ReceiptBody['result']>) {
  const { views } = result
  const alike = { ...result, sealed: '' }
  return views === undefined ? alike : { ...alike, views: views.map(({ sealed: _, ...view }) => view) }
}

/** Refusals of jobs that may still be approved and paid. */
const refusalsForNow: readonly string[] = ['JOB_NOT_APPROVED', 'JOB_NOT_FUNDED', 'JOB_CLOSED']

/** A plan stands on no chain and may be asked for again. */
function isFinal({ job, refusal }: ReceiptBody): boolean {
  return job.id !== 'plan' && (refusal === null || !refusalsForNow.includes(refusal.code))
}

/** What the two bodies must have in common: all but the copies that each party got sealed for itself. */
function differences(a: ReceiptBody, b: ReceiptBody): string[] {
  const comparable = (body: ReceiptBody): Record<string, unknown> => ({
    ...body,
    result: body.result === null ? null : withoutCopies(body.result),
    // A copy's key is named by the copy.
    destroyedKeys: body.destroyedKeys?.filter(({ use }) => use !== 'result') ?? null,
  })
  const [left, right] = [comparable(a), comparable(b)]
  const text = (value: unknown) => new TextDecoder().decode(canonicalBytes(value as JsonValue))
  // What only one of them says is a difference too.
  const fields = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...fields].filter((field) => text(left[field] ?? null) !== text(right[field] ?? null))
}

/**
 * Compares the receipts that two parties hold of one job. Both signatures are verified; that the signing keys are a node's is
 * `verifyReceipt`'s part.
 *
 * @param first signed receipt, as JSON
 * @param second the other party's
 * @returns what the two have in common and where they differ
 * @throws AttestError `BAD_RECEIPT` when one is no receipt or its signature does not verify
 *
 * @example
 * ```ts no-run
 * const comparison = compareReceipts(mine, theirs)
 * if (comparison.answer === 'equivocation') publish(comparison.proof)
 * ```
 */
export function compareReceipts(first: unknown, second: unknown): ReceiptComparison {
  const [a, b] = [open(first, 'first'), open(second, 'second')]
  const [left, right] = [a.signed.context, b.signed.context]
  const sameJob =
    a.body.job.id === b.body.job.id &&
    a.body.job.manifest === b.body.job.manifest &&
    a.body.job.consumer.toLowerCase() === b.body.job.consumer.toLowerCase() &&
    left.chainId === right.chainId &&
    left.registry.toLowerCase() === right.registry.toLowerCase()
  if (!sameJob) return { answer: 'different-jobs' }
  const differing = differences(a.body, b.body)
  if (differing.length > 0 && !(isFinal(a.body) && isFinal(b.body))) return { answer: 'not-final' }
  const signer = a.signed.signer.toLowerCase() as Address
  if (signer !== b.signed.signer.toLowerCase()) return { answer: 'different-nodes', differing }
  if (differing.length === 0) return { answer: 'same' }
  const proof: EquivocationProof = {
    format: 'sealpool/equivocation-proof',
    version: 1,
    signer,
    receipts: [a.signed, b.signed],
  }
  return { answer: 'equivocation', differing, proof }
}

/**
 * Verifies a proof of equivocation, offline and from nothing but itself.
 *
 * @param proof as JSON
 * @returns the guilty key and what it told in two ways; undefined when the proof proves nothing
 */
export function verifyEquivocation(
  proof: unknown,
): { readonly signer: Address; readonly differing: readonly string[] } | undefined {
  const { format, version, signer, receipts } = (proof ?? {}) as Partial<EquivocationProof>
  if (format !== 'sealpool/equivocation-proof' || version !== 1 || !Array.isArray(receipts)) return undefined
  try {
    const comparison = compareReceipts(receipts[0], receipts[1])
    if (comparison.answer !== 'equivocation' || comparison.proof.signer !== signer) return undefined
    return { signer: comparison.proof.signer, differing: comparison.differing }
  } catch (error) {
    if (error instanceof AttestError) return undefined
    throw error
  }
}
