import {
  type Digest,
  decodeHex,
  digestToBytes,
  encodeHex,
  type Hex,
  merkleProof,
  parseDigest,
  verifyMerkleProof,
} from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import { digestText, hexText, integer, list, record, type Schema, schema } from '../shape/shape.js'
import type { ReceiptBody } from './receipt.js'

/** One input of a job, shown without the others: its verdict's digest and the path to the root that the receipt names. */
export type InputDisclosure = {
  /** Address of the pool. */
  pool: Hex
  digest: Digest
  index: number
  count: number
  /** Hashes of 32 bytes, from the leaf's sibling up. */
  path: Hex[]
}

/** Schema of {@link InputDisclosure}; unknown fields are refused. */
export const inputDisclosureSchema: Schema<InputDisclosure> = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'disclosure',
    'Not a disclosure of an input',
    record<InputDisclosure>({
      pool: hexText(20),
      digest: digestText,
      index: integer(0),
      count: integer(1),
      path: list(hexText(32), { max: 64 }),
    }),
  ))()

/**
 * Shows that one contribution was among a job's inputs, and nothing of the others.
 *
 * @param pool address, lower case
 * @param digests of the verdicts on all inputs, in the order of the receipt
 * @param index which one is shown
 * @returns the one digest with its path to the root
 * @throws AttestError `BAD_ARGUMENT` when there is no such input; CryptoError `DIGEST_INVALID`
 */
export function discloseInput(pool: Hex, digests: readonly Digest[], index: number): InputDisclosure {
  const digest = digests[index]
  if (digest === undefined) throw new AttestError('BAD_ARGUMENT', 'index', 'There is no such input')
  const leaves = digests.map((one) => digestToBytes(parseDigest(one)))
  return { pool, digest, index, count: digests.length, path: merkleProof(leaves, index).map(encodeHex) }
}

/**
 * Whether a disclosed input is among those that a receipt names; verify the receipt first.
 *
 * @param disclosure as JSON
 * @param receipt body of a verified receipt
 * @returns undefined when it is, else why not
 * @throws AttestError `BAD_RECEIPT` when it is no disclosure
 */
export function disclosureProblem(disclosure: unknown, receipt: ReceiptBody): string | undefined {
  const { pool, digest, index, count, path } = inputDisclosureSchema.parse(disclosure)
  const named = receipt.pools.find((one) => one.pool.toLowerCase() === pool)
  if (named === undefined) return 'the receipt does not name this pool'
  if (named.inputs.count !== count) return `the receipt counts ${named.inputs.count} inputs of this pool`
  const included = verifyMerkleProof({
    leaf: digestToBytes(digest),
    index,
    count,
    proof: path.map((hash) => decodeHex(hash)),
    root: digestToBytes(named.verdicts),
  })
  return included ? undefined : 'the path does not lead to the root that the receipt names'
}
