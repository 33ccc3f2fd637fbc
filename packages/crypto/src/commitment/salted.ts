import { type Backend, subtleFor } from '../aead/backend.js'
import { type Digest, digestToBytes, sha256Digest } from '../digest/digest.js'
import { secretHmac } from '../digest/secret-hmac.js'
import { bigEndian, concatBytes, isBytes } from '../encoding/bytes.js'
import { isPlain, requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import { chunksAtOnce, inOrder } from '../pipeline/pipeline.js'
import { leafHash, leafPreimage, proofOfHashes, rootOfHashes, verifyMerkleProof } from './merkle.js'

const label = /* @__PURE__ */ utf8('sealpool/commitment/1')
const saltLength = 32
const defaultChunkSize = 65_536

/** How a plaintext was committed to. Only `root` is meant to be public. */
export interface Commitment {
  /** What goes on chain. */
  readonly root: Digest
  /** Bytes per chunk. */
  readonly chunkSize: number
  /** Bytes of the plaintext. */
  readonly length: number
  /** Number of chunks; 0 for an empty plaintext. */
  readonly count: number
}

/** One chunk of a committed plaintext, which proves nothing about the others and does not disclose the salt. */
export interface CommitmentOpening {
  readonly index: number
  readonly chunk: Uint8Array
  readonly chunkSize: number
  readonly length: number
  /** This chunk's own salt, 32 bytes. */
  readonly chunkSalt: Uint8Array
  readonly proof: readonly Uint8Array[]
  /** Root of the tree under the commitment, 32 bytes. */
  readonly treeRoot: Uint8Array
}

/**
 * Commits to a plaintext without giving anyone a value to guess against: every chunk is a Merkle leaf under a salt
 * of its own, and length and chunk size are bound at the top.
 *
 * @param bytes - the plaintext
 * @param options - `salt`: 32 secret random bytes, never used for two plaintexts; `chunkSize` in bytes, 65,536 by
 *   default
 * @returns the commitment
 * @throws CryptoError `COMMITMENT_INVALID` for a salt of another length or an impossible chunk size, or what is no Uint8Array
 */
export function commitPlaintext(
  bytes: Uint8Array,
  options: { readonly salt: Uint8Array; readonly chunkSize?: number | undefined },
): Commitment {
  requireOptions(options)
  const { salt, chunkSize } = checked(options)
  if (!isBytes(bytes)) {
    throw new CryptoError('COMMITMENT_INVALID', 'bytes', 'a plaintext is a Uint8Array')
  }
  const hashes = chunksOf(bytes, chunkSize).map((chunk, index) => leafHash(chunkSaltOf(salt, index), chunk))
  return commitmentOf(bytes.length, chunkSize, hashes)
}

/**
 * {@link commitPlaintext} in chunks of the default size, with WebCrypto's SHA-256 where the platform has it: the same
 * commitment, sooner.
 *
 * @param bytes - the plaintext, not changed by anyone meanwhile
 * @param options - `salt`: 32 bytes; `backend`: where to compute
 * @returns the commitment
 * @throws CryptoError `NATIVE_CRYPTO_MISSING`
 */
export async function commitPlaintextOn(
  bytes: Uint8Array,
  options: { readonly salt: Uint8Array; readonly backend: Backend },
): Promise<Commitment> {
  const { salt, backend } = options
  const subtle = subtleFor(backend)
  const hashes: Uint8Array[] = []
  const chunks = chunksOf(bytes, defaultChunkSize)
  await inOrder({
    count: chunks.length,
    limit: chunksAtOnce(defaultChunkSize),
    async start(index) {
      const parts = [chunkSaltOf(salt, index), chunks[index] ?? new Uint8Array()]
      if (subtle === undefined) return leafHash(...parts)
      return new Uint8Array(await subtle.digest('SHA-256', leafPreimage(...parts)))
    },
    deliver: (hash) => hashes.push(hash),
  })
  return commitmentOf(bytes.length, defaultChunkSize, hashes)
}

function commitmentOf(length: number, chunkSize: number, hashes: readonly Uint8Array[]): Commitment {
  const root = topOf(chunkSize, length, rootOfHashes(hashes))
  return { root, chunkSize, length, count: hashes.length }
}

/**
 * Whether a commitment was made to this plaintext with this salt.
 *
 * @param claim - the commitment's root, the plaintext, salt and chunk size (65,536 by default)
 * @returns true when they belong together
 * @throws CryptoError `COMMITMENT_INVALID`, `DIGEST_INVALID` for arguments that could never fit
 */
export function verifyCommitment(claim: {
  readonly root: Digest
  readonly bytes: Uint8Array
  readonly salt: Uint8Array
  readonly chunkSize?: number | undefined
}): boolean {
  if (!isPlain(claim)) return false
  digestToBytes(claim.root)
  return commitPlaintext(claim.bytes, claim).root === claim.root
}

/**
 * Discloses one chunk of a committed plaintext.
 *
 * @param bytes - the whole plaintext
 * @param options - as in {@link commitPlaintext}, and the chunk's `index` from 0
 * @returns what {@link verifyCommitmentOpening} takes beside the root
 * @throws CryptoError `COMMITMENT_INVALID`, `MERKLE_INPUT_INVALID` when there is no such chunk
 */
export function openCommitment(
  bytes: Uint8Array,
  options: { readonly salt: Uint8Array; readonly index: number; readonly chunkSize?: number | undefined },
): CommitmentOpening {
  requireOptions(options)
  const { salt, chunkSize } = checked(options)
  const { index } = options
  const hashes = chunksOf(bytes, chunkSize).map((chunk, at) => leafHash(chunkSaltOf(salt, at), chunk))
  const proof = proofOfHashes(hashes, index)
  return {
    index,
    chunk: new Uint8Array(bytes.subarray(index * chunkSize, (index + 1) * chunkSize)),
    chunkSize,
    length: bytes.length,
    chunkSalt: chunkSaltOf(salt, index),
    proof,
    treeRoot: rootOfHashes(hashes),
  }
}

/**
 * Whether one disclosed chunk belongs to a commitment.
 *
 * @param root - the commitment
 * @param opening - from {@link openCommitment}; hostile values are answered with `false`
 * @returns true only when the chunk stands at its place of the committed plaintext
 */
export function verifyCommitmentOpening(root: Digest, opening: CommitmentOpening): boolean {
  if (!isPlain(opening)) return false
  const { index, chunk, chunkSize, length, chunkSalt, proof, treeRoot } = opening
  if (![chunk, chunkSalt, treeRoot].every((bytes) => isBytes(bytes))) return false
  if (!isChunkSize(chunkSize) || !isWhole(length, 0)) return false
  if (
    !Number.isSafeInteger(index) ||
    index < 0 ||
    treeRoot.length !== 32 ||
    chunkSalt.length !== saltLength
  ) {
    return false
  }
  if (chunk.length !== Math.min(chunkSize, length - index * chunkSize)) return false
  const count = Math.ceil(length / chunkSize)
  return (
    topOf(chunkSize, length, treeRoot) === root &&
    verifyMerkleProof({ leaf: concatBytes(chunkSalt, chunk), index, count, proof, root: treeRoot })
  )
}

function checked(options: { readonly salt: Uint8Array; readonly chunkSize?: number | undefined }) {
  const { salt, chunkSize = defaultChunkSize } = options
  if (!isBytes(salt) || salt.length !== saltLength) {
    throw new CryptoError('COMMITMENT_INVALID', 'salt', `a salt has ${saltLength} random bytes`)
  }
  if (!isChunkSize(chunkSize)) {
    throw new CryptoError('COMMITMENT_INVALID', 'chunkSize', 'a chunk has 1 to 2^31 - 1 bytes')
  }
  return { salt, chunkSize }
}

function isChunkSize(value: unknown): value is number {
  return isWhole(value, 1, 2 ** 31 - 1)
}

function chunksOf(bytes: Uint8Array, chunkSize: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length; offset += chunkSize) {
    chunks.push(bytes.subarray(offset, offset + chunkSize))
  }
  return chunks
}

function chunkSaltOf(salt: Uint8Array, index: number): Uint8Array {
  return secretHmac(salt, concatBytes(label, bigEndian(index, 8)))
}

function topOf(chunkSize: number, length: number, treeRoot: Uint8Array): Digest {
  return sha256Digest(concatBytes(label, bigEndian(chunkSize, 4), bigEndian(length, 8), treeRoot))
}
