import type { Random } from './encoding/bytes.js'
import { requireOptions } from './encoding/options.js'
import {
  type HeaderStore,
  type RewrapOptions,
  type RewrapReport,
  rewrapHeaders as rewrapHeadersWith,
  rewrapHeader as rewrapHeaderWith,
} from './epoch/rewrap-headers.js'
import type { HpkeSenderContext } from './hpke/context.js'
import {
  type HpkeSealOptions,
  type HpkeSenderOptions,
  hpkeSeal as hpkeSealWith,
  hpkeSender as hpkeSenderWith,
} from './hpke/hpke.js'
import { platformRandom } from './platform.js'
import type { Recipient } from './recipient/recipient.js'
import {
  type EstablishWalletKeyOptions,
  establishWalletKey as establishWalletKeyWith,
  type WalletKey,
} from './recipient/wallet-key.js'
import type { OpenOptions } from './sealed-file/file-key.js'
import type { RangeSource } from './sealed-file/range.js'
import {
  addRecipient as addRecipientWith,
  type RecipientChange,
  type RewrittenHeader,
  rewriteHeader as rewriteHeaderWith,
} from './sealed-file/rewrap.js'
import {
  type SealBytesOptions,
  type SealOptions,
  sealBytes as sealBytesWith,
  seal as sealWith,
} from './sealed-file/seal.js'

export type { Backend } from './aead/backend.js'
export { canonicalBytes, digestOf, parseCanonical } from './canonical-json/canonical-bytes.js'
export {
  canonicalize,
  type JsonObject,
  type JsonValue,
  maximumJsonDepth,
} from './canonical-json/canonicalize.js'
export { asJson, type JsonForm } from './canonical-json/json-form.js'
export { type MerkleProofClaim, merkleProof, merkleRoot, verifyMerkleProof } from './commitment/merkle.js'
export {
  type MerkleMultiProofClaim,
  merkleMultiProof,
  verifyMerkleMultiProof,
} from './commitment/multi-proof.js'
export {
  commitRows,
  type DisclosedField,
  type DisclosedRow,
  openRows,
  type RowsCommitment,
  type RowsOpening,
  verifyRowsOpening,
} from './commitment/rows.js'
export {
  type Commitment,
  type CommitmentOpening,
  commitPlaintext,
  openCommitment,
  verifyCommitment,
  verifyCommitmentOpening,
} from './commitment/salted.js'
export {
  bytesToDigest,
  type Digest,
  digestToBytes,
  digestToHex,
  hexToDigest,
  parseDigest,
  sha256Digest,
} from './digest/digest.js'
export { type Address, parseAddress } from './encoding/address.js'
export { decodeBase64Url, encodeBase64Url } from './encoding/base64url.js'
export { concatBytes, equalBytes, type Random } from './encoding/bytes.js'
export { decodeHex, encodeHex, type Hex } from './encoding/hex.js'
export { currentRecipient, poolIdentities, recipientOfEpoch } from './epoch/pool-keys.js'
export {
  currentKeyEpoch,
  type KeyEpoch,
  type KeyEpochs,
  keyEpochsRevision,
  type NewKeyEpoch,
  parseKeyEpochs,
  publishKeyEpochs,
  retireKeyEpoch,
  rotateKeyEpoch,
} from './epoch/register.js'
export type { HeaderStore, RewrapOptions, RewrapReport } from './epoch/rewrap-headers.js'
export {
  type ChainKeyEpoch,
  readKeyEpochs,
  requireKeyEpochsOnChain,
  signKeyEpochs,
} from './epoch/signed-register.js'
export { CryptoError, type CryptoErrorCode } from './errors.js'
export type { HpkeAead, HpkeContext, HpkeReceiverContext, HpkeSenderContext } from './hpke/context.js'
export {
  type HpkeOpenOptions,
  type HpkeReceiverOptions,
  type HpkeSealOptions,
  type HpkeSenderOptions,
  hpkeOpen,
  hpkeReceiver,
} from './hpke/hpke.js'
export type { DecapsulateOptions, EncapsulateOptions, Kem, KemPrivateKey, KeyPair } from './hpke/kem.js'
export { deriveKeyPair, x25519Kem } from './hpke/x25519-kem.js'
export { platformRandom } from './platform.js'
export { derivePoolKey, deriveSecret, type KeyScope, type PoolKey } from './pool-key/derive.js'
export { type KeySet, keySetDigest, parseKeySet } from './pool-key/key-set.js'
export { deriveNodeKeys, type NodeKeys } from './pool-key/node-keys.js'
export { hpkeIdentity, hpkeRecipient } from './recipient/hpke-recipient.js'
export type { Identity, Recipient, Stanza, UnwrapRequest, WrapRequest } from './recipient/recipient.js'
export {
  type ThresholdLabel,
  type ThresholdUnwrapRequest,
  type ThresholdWrapRequest,
  thresholdIdentity,
  thresholdRecipient,
} from './recipient/threshold-recipient.js'
export {
  type WalletIdentity,
  type WalletKeyTypedData,
  walletIdentity,
  walletKeyTypedData,
  walletRecipient,
} from './recipient/wallet.js'
export {
  type EstablishWalletKeyOptions,
  type RandomKeyReason,
  type WalletKey,
  walletIdentityFromSecret,
} from './recipient/wallet-key.js'
export { keyIdOf, publicKeyOf } from './recipient/x25519.js'
export { decodeArmor, encodeArmor } from './sealed-file/armor.js'
export type { SealContext } from './sealed-file/context.js'
export type { OpenOptions } from './sealed-file/file-key.js'
export { type ParsedHeader, parseHeader, type SealedHeader, type SealSuite } from './sealed-file/header.js'
export { type OpenedFile, type OpenTransform, openBytes, openStream } from './sealed-file/open.js'
export {
  type OpenRangeOptions,
  openRange,
  type RangeSource,
  type SealedReader,
  sealedReader,
} from './sealed-file/range.js'
export {
  type ListedRecipient,
  listRecipients,
  type RecipientChange,
  type RecipientName,
  type RewrittenHeader,
  removeRecipient,
} from './sealed-file/rewrap.js'
export { type SealBytesOptions, type SealOptions, sealedSize } from './sealed-file/seal.js'
export type { Fact } from './statement/facts.js'
export { addressOf } from './statement/signature.js'
export {
  parseSignedStatement,
  recoverStatementSigner,
  type SignedStatement,
  type Statement,
  type StatementContext,
  signStatement,
  statementDigest,
  statementKind,
  statementTypedDataHash,
  verifyStatement,
} from './statement/statement.js'

/** Options whose `random` may be left out: the platform's random bytes are then used. */
type WithRandom<Options> = Omit<Options, 'random'> & { readonly random?: Random | undefined }

function withRandom<Options extends { readonly random?: Random | undefined }>(
  options: Options,
): Omit<Options, 'random'> & { readonly random: Random } {
  return { ...requireOptions(options), random: options.random ?? platformRandom }
}

/**
 * Seals bytes: every recipient can open the result, and nobody else. A fresh random file key is drawn for each
 * file. When the context has no commitment, one is made with `commitPlaintext` (default chunk size) under a salt
 * that recipients get back from `openBytes`.
 *
 * @param plaintext - any bytes, also none; not changed by anyone until the promise settles, or the commitment is of other bytes
 * @param options - recipients, context; `suite`, `chunkSize`, `backend`; `random` is the platform's by default
 * @returns the sealed file
 * @throws CryptoError `RECIPIENT_INVALID`, `CONTEXT_INVALID`, `HEADER_INVALID` (suite, chunk size),
 *   `HEADER_TOO_LARGE`, `RANDOM_INVALID`, `NATIVE_CRYPTO_MISSING`
 */
export async function sealBytes(
  plaintext: Uint8Array,
  options: WithRandom<SealBytesOptions>,
): Promise<Uint8Array> {
  return sealBytesWith(plaintext, withRandom(options))
}

/**
 * Seals a stream in bounded memory (some megabytes). A piece that is written is read until its write settles, and not copied: a
 * source that fills one buffer again and again must wait for each write, with nothing that reads ahead between (a `highWaterMark`
 * over 0, another transform), or other bytes are sealed and nobody notices. Else give every piece a buffer of its own.
 *
 * @param options - as for {@link sealBytes}; the context needs its commitment, since it precedes the payload
 * @returns a transform from plaintext to sealed file; errors of {@link sealBytes} come out of the stream, and `OPTION_INVALID` for
 *   a piece that was transferred or changed its length before its write settled
 */
export function seal(options: WithRandom<SealOptions>): TransformStream<Uint8Array, Uint8Array> {
  return sealWith(withRandom(options))
}

/**
 * Seals a file to one more recipient by writing its header anew; the payload is passed through unread, so the
 * header alone may be given as well.
 *
 * @param sealed - a sealed file, or its header
 * @param options - an identity that opens the file and the new `recipient`; `random` is the platform's by default
 * @returns the same with its new header
 * @throws CryptoError `RECIPIENT_INVALID` when the recipient is already there or the header is full;
 *   `HEADER_TOO_LARGE`; as `parseHeader` and `openBytes`
 */
export async function addRecipient(
  sealed: Uint8Array,
  options: OpenOptions & { readonly recipient: Recipient; readonly random?: Random | undefined },
): Promise<Uint8Array> {
  return addRecipientWith(sealed, withRandom(options))
}

/**
 * Changes the recipients of a file that lies elsewhere: reads its header (two reads that go no further) and gives the
 * new one. The store then puts it before the unchanged payload, by copying on its own side where it can.
 *
 * @param options - `source`: the file; an identity that opens it, who comes (`add`) and who goes (`remove`); `random`
 *   is the platform's by default
 * @returns the new header, and where the payload begins in the old file
 * @throws CryptoError `SOURCE_FAILED`, `RECIPIENT_INVALID`, `HEADER_TOO_LARGE`; as `parseHeader` and `openBytes`
 */
export async function rewriteHeader(
  options: WithRandom<RecipientChange> & { readonly source: RangeSource },
): Promise<RewrittenHeader> {
  return rewriteHeaderWith(withRandom(options))
}

/**
 * Seals one small message to a public key (single shot, RFC 9180 section 6.1, AES-256-GCM). Without
 * `senderPrivateKey` anyone can seal: the sender is not authenticated.
 *
 * @param options - `publicKey`, `info`, `aad`, `plaintext`; `kem` (X25519 by default), `senderPrivateKey` (auth
 *   mode); `random` is the platform's by default
 * @returns encapsulated key (32 bytes for X25519), then ciphertext (plaintext + 16 bytes)
 * @throws CryptoError `KEY_INVALID`, `OPTION_INVALID`, `RANDOM_INVALID`, `NATIVE_CRYPTO_MISSING`
 */
export async function hpkeSeal(options: WithRandom<HpkeSealOptions>): Promise<Uint8Array> {
  return hpkeSealWith(withRandom(options))
}

/**
 * Sets up the sender's side of several messages in one direction (RFC 9180 section 5). The recipient's context seals nothing: for
 * an answer, both sides make a key pair of `context.exportSecret` (RFC 9180 section 9.8).
 *
 * @param options - `publicKey`, `info`; `kem`, `aead`, `senderPrivateKey` (auth mode); `random` is the platform's by
 *   default
 * @returns what the recipient needs (`enc`), and the context that seals messages
 * @throws CryptoError `KEY_INVALID`, `OPTION_INVALID`, `RANDOM_INVALID`, `NATIVE_CRYPTO_MISSING`
 */
export async function hpkeSender(
  options: WithRandom<HpkeSenderOptions>,
): Promise<{ readonly enc: Uint8Array; readonly context: HpkeSenderContext }> {
  return hpkeSenderWith(withRandom(options))
}

/**
 * Makes a wallet's key from its signature where that is safe, and otherwise a random key (contract wallets, wallets
 * that do not sign alike twice). The wallet is asked twice.
 *
 * @param options - `address`, `typedData`, `sign`; `isContract`, `isValidSignature` (ERC-1271), `kem`; `random` is the
 *   platform's by default
 * @returns the identity; for a random key also why, and the secret to back up
 * @throws CryptoError `SIGNATURE_INVALID` when an address that is known to be no contract, or that does not answer for the
 *   signature, gives another's; `ADDRESS_INVALID`, `RANDOM_INVALID`
 */
export async function establishWalletKey(options: WithRandom<EstablishWalletKeyOptions>): Promise<WalletKey> {
  return establishWalletKeyWith(withRandom(options))
}

/**
 * Brings one header to a new key epoch: the new key's stanza comes, the old key's goes, all else stays.
 *
 * @param sealed - a sealed file, or its header
 * @param options - see {@link RewrapOptions}; `random` is the platform's by default
 * @returns the new header, or undefined when it bears the new key's stanza and not the old one's. Undefined does not say that the
 *   header is authentic: that is checked (`HEADER_REFUSED`) only when the new key's identity is among `identities`, and
 *   `rewrapHeaders` tells by `unverified` where it was not
 * @throws CryptoError `CONTEXT_MISMATCH` (another policy, pool or chain), `RECIPIENT_INVALID` when the file has neither
 *   key's stanza; as `openBytes` up to the payload
 */
export async function rewrapHeader(
  sealed: Uint8Array,
  options: WithRandom<RewrapOptions>,
): Promise<Uint8Array | undefined> {
  return rewrapHeaderWith(sealed, withRandom(options))
}

/**
 * Brings all headers of a store to a new key epoch. A run may be killed at any time and started again. One file that
 * cannot be re-wrapped does not stop the others.
 *
 * @param options - `store`; {@link RewrapOptions}; `atOnce`: headers under way at once, 8 by default; `onHeader`: told of
 *   every header that was replaced; `random` is the platform's by default
 * @returns counts, and what failed
 * @throws CryptoError `OPTION_INVALID`; errors of `store.list` and `onHeader` come out as they are
 */
export async function rewrapHeaders(
  options: WithRandom<RewrapOptions> & {
    readonly store: HeaderStore
    readonly atOnce?: number | undefined
    readonly onHeader?: ((name: string) => void) | undefined
  },
): Promise<RewrapReport> {
  return rewrapHeadersWith(withRandom(options))
}
