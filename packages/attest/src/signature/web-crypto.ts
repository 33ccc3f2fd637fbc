import { bytesToHex } from '@noble/hashes/utils.js'
import { encodeBase64Url } from '@sealpool/crypto'
import { parseDer } from '../encoding/der.js'
import { AttestError } from '../errors.js'
import { verifyAmdSignature } from './amd.js'
import { verifyP256 } from './p256.js'
import { keyAlgorithm, type VerifySignature } from './port.js'
import { provisionalAnswer } from './provisional-answers.js'
import { parseRsaPublicKey } from './rsa-pss.js'

/** More rounds than any verification has links that build on each other. */
const maximumRounds = 32

/**
 * Runs a verification with the browser's own cryptography, which answers only with promises: the verification is asked once
 * to learn which signatures it needs, they are checked all at once, and it is asked again with the answers. Only a run that
 * asked nothing unknown counts, so the verdict is the same as with any other port.
 *
 * @param ask a verification that is given the port; it is called several times, must not wait for anything (fetch collateral before),
 *   and must not keep what earlier calls gave: their ports are refused, their verdicts pass nothing, and collateral
 *   prepared with them is checked again where it is used. A cache of single answers around the port cannot be told from a port: have none
 * @param subtle the platform's WebCrypto; what it cannot do or refuses with an error is answered by the portable port
 * @returns what the last call gave
 * @throws AttestError `BAD_ARGUMENT` when there is no WebCrypto, when `ask` gives a promise or never comes to an end; whatever the last call of `ask` throws
 *
 * @example
 * ```ts no-run
 * const verdict = await withWebCrypto((verifySignature) => verifyQuote(quote, { collateral, at, verifySignature }))
 * ```
 */
export async function withWebCrypto<T>(
  ask: (verifySignature: VerifySignature) => T & (T extends PromiseLike<unknown> ? never : unknown),
  // Named by the value: without the DOM's types there is no `SubtleCrypto`, and Node's own serves as well.
  subtle: typeof globalThis.crypto.subtle = globalThis.crypto?.subtle,
): Promise<T> {
  if (typeof subtle?.importKey !== 'function')
    throw new AttestError(
      'BAD_ARGUMENT',
      'subtle',
      'There is no WebCrypto here (pages have it over https: only): verify without a port, which is portable',
    )
  const answers = new Map<string, boolean>()
  for (let round = 0; round < maximumRounds; round += 1) {
    const open = new Map<string, Promise<boolean>>()
    let over = false
    const port: VerifySignature = (publicKey, message, signature) => {
      // Whoever asks later asks for a provisional answer.
      if (over)
        throw bad('Its port is asked when its run is over: it must not wait, and nobody may keep the port')
      const name = [publicKey, signature, message].map(bytesToHex).join(' ')
      const known = answers.get(name)
      if (known !== undefined) return known
      if (!open.has(name)) open.set(name, verifyOne(subtle, publicKey, message, signature))
      // This run never counts.
      return provisionalAnswer()
    }
    let result: { readonly value: T } | { readonly error: unknown }
    try {
      result = { value: ask(port) }
    } catch (error) {
      result = { error }
    }
    over = true
    if ('value' in result && isThenable(result.value)) {
      // It fails when it asks its port, and nobody else listens.
      Promise.resolve(result.value).catch(() => undefined)
      throw bad('It must not give a promise: fetch what it needs before, and verify at once')
    }
    if (open.size === 0) {
      if ('error' in result) throw result.error
      return result.value
    }
    for (const [name, answer] of open) answers.set(name, await answer)
  }
  throw bad('The verification asks for other signatures every time')
}

function bad(what: string): AttestError {
  return new AttestError('BAD_ARGUMENT', 'ask', what)
}

function isThenable(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

const parameters = {
  p256: { algorithm: { name: 'ECDSA', namedCurve: 'P-256' }, verify: { name: 'ECDSA', hash: 'SHA-256' } },
  p384: { algorithm: { name: 'ECDSA', namedCurve: 'P-384' }, verify: { name: 'ECDSA', hash: 'SHA-384' } },
} as const

type Copies = [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]

async function verifyOne(
  subtle: SubtleCrypto,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const kind = keyAlgorithm(publicKey)
  if (kind === undefined) return false
  // WebCrypto takes views of plain buffers only, and answers later; these copies are small.
  const [key, text, bytes] = [publicKey, message, signature].map((one) => Uint8Array.from(one)) as Copies
  try {
    if (kind === 'rsa') {
      parseRsaPublicKey(key)
      const [modulus, exponent] = parseDer(key).children.map(({ content }) =>
        encodeBase64Url(content[0] === 0 ? content.subarray(1) : content),
      )
      const jwk = { kty: 'RSA', n: modulus ?? '', e: exponent ?? '' }
      const imported = await subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-384' }, false, [
        'verify',
      ])
      return await subtle.verify({ name: 'RSA-PSS', saltLength: 48 }, imported, bytes, text)
    }
    const { algorithm, verify } = parameters[kind]
    const imported = await subtle.importKey('raw', key, algorithm, false, ['verify'])
    return await subtle.verify(verify, imported, bytes, text)
  } catch {
    // A key that is none, or an algorithm, curve or form of key that is missing here: the portable port tells them apart.
    return kind === 'p256' ? verifyP256(key, text, bytes) : verifyAmdSignature(key, text, bytes)
  }
}
