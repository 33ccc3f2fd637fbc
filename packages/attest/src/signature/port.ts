import { AttestError } from '../errors.js'
import { provisionalAnswers } from './provisional-answers.js'

/**
 * The one port for signatures. The form of the key says which algorithm is meant, so that no caller can confuse them:
 *
 * - 65 bytes (04 || x || y): ECDSA P-256 with SHA-256, signature r || s of 64 bytes
 * - 97 bytes (04 || x || y): ECDSA P-384 with SHA-384, signature r || s of 96 bytes
 * - DER of an `RSAPublicKey` (30 ...): RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes
 *
 * @param publicKey in one of the forms above
 * @param message the signed bytes (not their hash)
 * @param signature big-endian
 * @returns true only for a valid signature; never throws
 */
export type VerifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/** The algorithm that a key of the port asks for; undefined for a key of no known form. */
export function keyAlgorithm(publicKey: Uint8Array): 'p256' | 'p384' | 'rsa' | undefined {
  if (publicKey.length === 65 && publicKey[0] === 4) return 'p256'
  if (publicKey.length === 97 && publicKey[0] === 4) return 'p384'
  return publicKey[0] === 0x30 ? 'rsa' : undefined
}

const strictPorts = /* @__PURE__ */ new WeakMap<VerifySignature, VerifySignature>()
const place = 'options.verifySignature'

/**
 * A caller's port as the verifiers use it: what is neither true nor false is no answer. A promise above all, which would otherwise
 * count as true.
 *
 * @param port as the caller gave it
 * @returns one port for one port
 * @throws AttestError `BAD_ARGUMENT` when it is no function; the port itself throws the same when its answer is none
 */
export function strictPort(port: VerifySignature): VerifySignature {
  const known = strictPorts.get(port)
  if (known !== undefined) return known
  const strict: VerifySignature = (...asked) => {
    const answer: unknown = port(...asked)
    if (typeof answer === 'boolean') return answer
    throw new AttestError(
      'BAD_ARGUMENT',
      place,
      'It must say true or false at once (promises: withWebCrypto)',
    )
  }
  // Callers without types may give anything.
  if (typeof port !== 'function') throw new AttestError('BAD_ARGUMENT', place, 'It is no function')
  strictPorts.set(port, strict)
  return strict
}

interface Answer {
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly answer: boolean
}

/** Answers about byte arrays that are told apart by identity; forgotten with the arrays. */
export type SignatureMemory = WeakMap<Uint8Array, Answer[]>

/**
 * Remembers answers, because one parsed certificate appears in several of Intel's chains and the same signature would be
 * checked again and again. Arrays are told apart by identity, which costs nothing: arrays that merely have equal bytes are
 * checked once more. Provisional answers (see `withWebCrypto`) are never remembered: they are asked for again.
 *
 * @param verify the implementation that does the work
 * @param memory where new answers go
 * @param before answers from earlier, which are only read
 */
export function rememberingSignatures(
  verify: VerifySignature,
  memory: SignatureMemory = new WeakMap(),
  before?: SignatureMemory,
): VerifySignature {
  const find = (
    from: SignatureMemory | undefined,
    key: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ) => from?.get(signature)?.find((known) => known.publicKey === key && known.message === message)
  return (publicKey, message, signature) => {
    const known = find(before, publicKey, message, signature) ?? find(memory, publicKey, message, signature)
    if (known !== undefined) return known.answer
    const provisional = provisionalAnswers()
    const answer = verify(publicKey, message, signature)
    if (provisionalAnswers() === provisional)
      memory.set(signature, [...(memory.get(signature) ?? []), { publicKey, message, answer }])
    return answer
  }
}

const memories = /* @__PURE__ */ new WeakMap<VerifySignature, SignatureMemory>()

/**
 * The answers that a port gave, for as long as the port and the arrays that were asked about live. A port must be a function
 * of its arguments: one that answers otherwise later is not asked again.
 */
export function memoryOf(port: VerifySignature): SignatureMemory {
  const known = memories.get(port) ?? new WeakMap()
  memories.set(port, known)
  return known
}
