import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { VerifyP256 } from '../signature/p256.js'

const keys = new Map<string, KeyObject | null>()

function importKey(point: Uint8Array): KeyObject | null {
  try {
    const coordinate = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString('base64url')
    return createPublicKey({
      key: { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) },
      format: 'jwk',
    })
  } catch {
    return null
  }
}

/** OpenSSL's P-256 behind the package's port: makes exhaustive tests quick, and checks that the port is one. */
export const nativeP256: VerifyP256 = (publicKey, message, signature) => {
  const name = Buffer.from(publicKey).toString('hex')
  if (!keys.has(name)) keys.set(name, publicKey[0] === 4 ? importKey(publicKey) : null)
  const key = keys.get(name)
  if (key === null || key === undefined) return false
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
}
