/**
 * The platform's clock and randomness, where the node's entry fills them in.
 * @module
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'

export { platformRandom } from '@sealpool/crypto'

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const ed25519Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** @returns the public key of an Ed25519 key, 32 bytes */
export function ed25519PublicKey(privateKey: Uint8Array): Uint8Array {
  const key = createPrivateKey({
    key: Buffer.concat([ed25519Prefix, privateKey]),
    format: 'der',
    type: 'pkcs8',
  })
  return Uint8Array.from(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))
}

/** @returns unix time in whole seconds */
export function platformNow(): number {
  return Math.floor(Date.now() / 1000)
}
