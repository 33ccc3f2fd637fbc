import { keyAlgorithm, strictPort, type VerifySignature } from './signature/port.js'

/** As much of `node:crypto` as is used here. */
type NodeCrypto = typeof import('node:crypto')

/** Imported keys are public and few: those of authorities return with every quote. */
const maximumKeys = 64
const keys = new Map<string, ReturnType<NodeCrypto['createPublicKey']>>()

function nodeCrypto(): NodeCrypto | undefined {
  // No import: the same source runs in browsers, where there is no such module (process.getBuiltinModule: Node 20.16).
  const get = globalThis.process?.getBuiltinModule
  return typeof get === 'function' ? get('node:crypto') : undefined
}

function importKey(crypto: NodeCrypto, publicKey: Uint8Array) {
  const name = Buffer.from(publicKey).toString('latin1')
  const known = keys.get(name)
  if (known !== undefined) return known
  const text = (from: number, to: number) => Buffer.from(publicKey.subarray(from, to)).toString('base64url')
  const size = (publicKey.length - 1) / 2
  const crv = size === 32 ? 'P-256' : 'P-384'
  const key =
    keyAlgorithm(publicKey) === 'rsa'
      ? crypto.createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'pkcs1' })
      : crypto.createPublicKey({
          key: { kty: 'EC', crv, x: text(1, size + 1), y: text(size + 1, 2 * size + 1) },
          format: 'jwk',
        })
  // The oldest goes first; a Map keeps the order of insertion.
  if (keys.size >= maximumKeys) keys.delete(keys.keys().next().value ?? '')
  keys.set(name, key)
  return key
}

/**
 * OpenSSL through `node:crypto`, where there is one.
 *
 * @returns the native port in Node 20.16 and later, undefined elsewhere (browsers, old Node)
 */
export function nativeSignatures(): VerifySignature | undefined {
  const crypto = nodeCrypto()
  if (crypto === undefined) return undefined
  return (publicKey, message, signature) => {
    const algorithm = keyAlgorithm(publicKey)
    if (algorithm === undefined) return false
    try {
      const key = importKey(crypto, publicKey)
      if (algorithm === 'p256') {
        return crypto.verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
      }
      if (algorithm === 'p384') {
        return crypto.verify('sha384', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
      }
      const padding = crypto.constants.RSA_PKCS1_PSS_PADDING
      return crypto.verify('sha384', message, { key, padding, saltLength: 48 }, signature)
    } catch {
      return false
    }
  }
}

const native = /* @__PURE__ */ nativeSignatures()

/**
 * Options with the platform's signatures filled in: native ones where they answer at once (Node), else nothing, so that the
 * verification uses its portable ones. Browsers answer only with promises; see `withWebCrypto`.
 *
 * @throws AttestError `BAD_ARGUMENT` when the caller's own are no function
 */
export function withPlatformSignatures<T extends { readonly verifySignature?: VerifySignature }>(
  options: T,
): T {
  if (options.verifySignature !== undefined)
    return { ...options, verifySignature: strictPort(options.verifySignature) }
  return native === undefined ? options : { ...options, verifySignature: native }
}
