import { provideCipherEngine } from './aead/aead.js'
import type { NodeCrypto } from './aead/node-key.js'
import type { Random } from './encoding/bytes.js'
import { isWhole } from './encoding/whole-number.js'
import { CryptoError } from './errors.js'

// WebCrypto fills at most this many bytes in one call (Web Cryptography API, getRandomValues).
const callLimit = 65_536

function randomBytes(length: number): Uint8Array {
  if (!isWhole(length, 0, 2 ** 31)) {
    throw new CryptoError('OPTION_INVALID', 'length', 'expected a number of bytes')
  }
  const bytes = new Uint8Array(length)
  for (let offset = 0; offset < length; offset += callLimit) {
    globalThis.crypto.getRandomValues(bytes.subarray(offset, Math.min(length, offset + callLimit)))
  }
  return bytes
}

/**
 * The platform's cryptographically secure random bytes; the default of every `random` option of this package.
 *
 * @param length - how many bytes
 * @returns that many random bytes
 * @throws CryptoError `OPTION_INVALID` for what is no number of bytes
 */
export const platformRandom: Random = /* @__PURE__ */ Object.assign(randomBytes, {
  givesAway: true as const,
  generateX25519: async (): Promise<CryptoKeyPair> =>
    (await globalThis.crypto.subtle.generateKey('X25519', false, ['deriveBits'])) as CryptoKeyPair,
})

/**
 * Node's own cryptography, where the program runs in Node 20.16 or newer (or what offers the same). Asked for at run time,
 * so that no bundle for a browser names it.
 *
 * @returns the module, or undefined elsewhere
 */
export function nodeCrypto(): NodeCrypto | undefined {
  const { process } = globalThis as {
    process?: { readonly getBuiltinModule?: (name: string) => unknown }
  }
  return process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
}

provideCipherEngine(async (name, key, letOthersRun) => {
  const node = nodeCrypto()
  if (node === undefined) return undefined
  // A file of its own, which the manifest's `browser` field takes out of bundles for browsers.
  const { nodeKey } = await import('./aead/node-key.js')
  return nodeKey(node, name, key, letOthersRun)
})
