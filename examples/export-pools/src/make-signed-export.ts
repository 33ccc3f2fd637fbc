import { createECDH, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { canonicalBytes, type JsonObject } from '@sealpool/crypto'

/** Platforms of the fixtures and their keys: made for this example, worth nothing anywhere else. */
const keys = {
  'receipts.example': () => {
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
    return createPrivateKey({
      key: Buffer.concat([prefix, Buffer.alloc(32, 21)]),
      format: 'der',
      type: 'pkcs8',
    })
  },
  'rides.example': () => {
    const curve = createECDH('prime256v1')
    const secret = Buffer.alloc(32, 22)
    curve.setPrivateKey(secret)
    const point = curve.getPublicKey()
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
    const jwk = { kty: 'EC', crv: 'P-256', d: secret.toString('base64url'), x: x ?? '', y: y ?? '' }
    return createPrivateKey({ key: jwk, format: 'jwk' })
  },
} as const satisfies Record<string, () => KeyObject>

/** One of the platforms that sign. */
export type Platform = keyof typeof keys

/** The key that a platform publishes, as a JWK. */
export function publicKeyOf(platform: Platform): JsonObject {
  return createPublicKey(keys[platform]()).export({ format: 'jwk' }) as JsonObject
}

/** What a platform's export says. */
export interface SignedExport {
  readonly account: string
  readonly wallet: string
  /** The export as people know it: a CSV, a GPX file. */
  readonly file: string
}

/**
 * Signs an export as its platform would: the file, whose account it is, and the wallet that the account named, over the RFC 8785 form.
 *
 * @param platform who signs
 * @param payload what it says
 * @returns the file that is contributed
 */
export function signExport(platform: Platform, payload: SignedExport): Uint8Array {
  const key = keys[platform]()
  const message = canonicalBytes({ ...payload })
  const signature =
    platform === 'receipts.example'
      ? sign(null, message, key)
      : sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })
  const file = { payload, issuer: platform, signature: signature.toString('base64url') }
  return new TextEncoder().encode(JSON.stringify(file))
}
