export { canonicalBytes, digestOf, parseCanonical } from './canonical-json/canonical-bytes.js'
export {
  canonicalize,
  type JsonObject,
  type JsonValue,
  maximumJsonDepth,
} from './canonical-json/canonicalize.js'
export { type MerkleProofClaim, merkleProof, merkleRoot, verifyMerkleProof } from './commitment/merkle.js'
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
export { CryptoError, type CryptoErrorCode } from './errors.js'
export { platformRandom } from './platform.js'
export { derivePoolKey, deriveSecret, type KeyScope, keyIdOf, type PoolKey } from './pool-key/derive.js'
export { type KeySet, keySetDigest, parseKeySet } from './pool-key/key-set.js'
export { deriveNodeKeys, type NodeKeys } from './pool-key/node-keys.js'
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
