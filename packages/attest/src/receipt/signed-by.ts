import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { type Address, type SignedStatement, statementTypedDataHash } from '@sealpool/crypto'
import { recoverPublicKey } from '../signature/secp256k1.js'

/**
 * Whether a statement is signed by an address, and names it as its signer. The answer is that of crypto's `verifyStatement`
 * for a statement that was parsed, on this package's own curve: a general library is larger than the rest of the verifier.
 *
 * @param signed from `parseSignedStatement`
 * @param signer who must have signed, in lower case
 * @returns true only when signature, form and both names agree
 * @throws CryptoError when the statement cannot be hashed; a parsed one can
 */
export function isSignedBy(signed: SignedStatement, signer: Address): boolean {
  const { statement, context, signature } = signed
  const digest = hexToBytes(statementTypedDataHash(statement, context).slice(2))
  const key = recoverPublicKey(digest, hexToBytes(signature.slice(2)))
  if (key === undefined) return false
  const address = `0x${bytesToHex(keccak_256(key).subarray(12))}`
  return address === signer && address === signed.signer
}
