import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Backend } from '../aead/backend.js'
import { secretHmac } from '../digest/secret-hmac.js'
import { concatBytes, equalBytes, isBytes, secretCopy, secretMoved } from '../encoding/bytes.js'
import { isPlain, requireKnownNames, requireList, requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'
import type { Identity, Recipient, Stanza, WrapRequest } from '../recipient/recipient.js'
import { requireContext, type SealContext } from './context.js'
import { encodeCore, type ParsedHeader, type SealedHeader } from './header.js'
import { type PayloadCipher, payloadCipher } from './payload.js'

/** Bytes of a file key. */
export const fileKeyLength = 32

type KeyUse = 'payload' | 'header' | 'commitment'

function deriveKey(fileKey: Uint8Array, salt: Uint8Array, use: KeyUse, binding: Uint8Array): Uint8Array {
  const label = utf8(`sealpool/sealed-file/1/${use}\0`)
  return secretMoved(hkdf(sha256, fileKey, salt, concatBytes(label, binding), 32))
}

/**
 * The digest of a header without its recipients, on which every key of the file depends.
 *
 * @param header - the header's fixed part
 * @returns 32 bytes
 */
export function bindingOf(header: Omit<SealedHeader, 'recipients'>): Uint8Array {
  return sha256(encodeCore(header))
}

/**
 * The header's MAC. HMAC-SHA-256 also commits to the file key: no second key verifies the same header, so all
 * recipients of one header open one and the same payload key.
 *
 * @param header - the header's fixed part
 * @param fileKey - 32 bytes, read at once
 * @returns the MAC, 32 bytes, of what `encodeHeader` gave; it is made once, and its key overwritten with that
 */
export function headerMac(
  header: Omit<SealedHeader, 'recipients'>,
  fileKey: Uint8Array,
): (encoded: Uint8Array) => Uint8Array {
  const key = deriveKey(fileKey, header.salt, 'header', bindingOf(header))
  return (encoded) => {
    const mac = secretHmac(key, encoded)
    key.fill(0)
    return mac
  }
}

/**
 * Lets a recipient wrap a file key. It gets copies, whatever it does with them: a scheme that wipes its key must not wipe the
 * file's.
 *
 * @param recipient - whose stanza is made
 * @param request - read before this returns its promise, so that the caller may wipe its file key
 * @returns the stanza; errors of the recipient come out as they are
 */
export async function wrapFor(recipient: Recipient, request: WrapRequest): Promise<Stanza> {
  const fileKey = secretCopy(request.fileKey)
  try {
    return await recipient.wrap({
      ...request,
      fileKey,
      binding: request.binding.slice(),
      context: { ...request.context },
    })
  } finally {
    fileKey.fill(0)
  }
}

/**
 * The payload's cipher.
 *
 * @param header - the header's fixed part
 * @param fileKey - 32 bytes
 * @param backend - where to compute
 * @returns the cipher
 */
export function payloadCipherOf(
  header: Omit<SealedHeader, 'recipients'>,
  fileKey: Uint8Array,
  backend: Backend,
): Promise<PayloadCipher> {
  const key = deriveKey(fileKey, header.salt, 'payload', bindingOf(header))
  return payloadCipher(header.suite, key, backend).finally(() => key.fill(0))
}

/**
 * The salt under which `sealBytes` commits to a plaintext when it is given no commitment. Every recipient of the
 * file can derive it, and nobody else.
 *
 * @param fileKey - 32 bytes
 * @param salt - the header's
 * @returns 32 bytes
 */
export function commitmentSaltOf(fileKey: Uint8Array, salt: Uint8Array): Uint8Array {
  // Not bound to the context: the context holds the commitment.
  return deriveKey(fileKey, salt, 'commitment', new Uint8Array())
}

/** What opening takes. */
export interface OpenOptions {
  /** Tried in order until one opens the file. When none does, the first one's error comes out. */
  readonly identities: readonly Identity[]
  /**
   * Fields of the context that must agree; a mismatch is an error before any payload is read. Left out by leaving it out: undefined
   * is refused, which is how a setting that is missing looks.
   */
  readonly expect?: Partial<SealContext>
  readonly backend?: Backend | undefined
}

/** The same once its names were checked: undefined then means that nothing is compared. */
export type OwnOpening = Omit<OpenOptions, 'expect'> & { readonly expect?: OpenOptions['expect'] | undefined }

/**
 * Refuses an expectation that would be none: one that is undefined, or that stands under another name.
 *
 * @param options - what the caller gave
 * @param more - names beside those of {@link OpenOptions}
 * @throws CryptoError `OPTION_INVALID`
 */
export function requireOpening(options: OpenOptions, more: readonly string[] = []): void {
  requireKnownNames(options, ['identities', 'expect', 'backend', ...more], ['expect'])
}

/**
 * Copies what opening takes, before the first wait: what counts is what was given at the call.
 *
 * @param options - what the caller gave
 * @returns the fields of {@link OpenOptions} alone, with a list and an object of their own
 * @throws CryptoError `OPTION_INVALID`
 */
export function ownOpening(options: OwnOpening): OwnOpening {
  const { identities, expect, backend } = requireOptions(options)
  return {
    identities: requireList(identities, 'identities'),
    // What is no plain object is refused where it is compared.
    expect: isPlain(expect) ? { ...expect } : expect,
    backend,
  }
}

/**
 * Unwraps the file key and authenticates the header with it.
 *
 * @param header - as parsed
 * @param options - who opens it, and what is expected
 * @returns the file key, a copy of what the identity gave: the caller's to wipe
 * @throws CryptoError `OPTION_INVALID`, `CONTEXT_MISMATCH`, `NO_MATCHING_IDENTITY`, `WRAP_REFUSED`, `HEADER_REFUSED`; what the first
 *   failing identity threw (`EPOCH_RETIRED`, `SHARES_MISSING`, an error of its transport), when none opens the file
 */
export async function unlockHeader(header: ParsedHeader, options: OwnOpening): Promise<Uint8Array> {
  const { identities, expect = {}, backend = 'auto' } = ownOpening(options)
  requireContext(header.context, expect)
  const { recipients: stanzas, context } = header
  const binding = bindingOf(header)
  const failures: unknown[] = []
  for (const identity of identities) {
    if (typeof identity?.unwrap !== 'function') {
      throw new CryptoError('OPTION_INVALID', 'identities', 'expected identities, such as hpkeIdentity makes')
    }
    try {
      const given = await identity.unwrap({
        stanzas,
        context: { ...context },
        binding: binding.slice(),
        backend,
      })
      if (given === undefined) continue
      if (!isBytes(given) || given.length !== fileKeyLength) {
        throw new CryptoError('WRAP_REFUSED', '$.recipients', 'an identity gave no 32-byte file key')
      }
      // Another identity may keep its bytes, and change them at any time.
      const fileKey = identity.givesAway === true ? given : secretCopy(given)
      if (equalBytes(headerMac(header, fileKey)(header.encoded), header.mac)) return fileKey
      fileKey.fill(0)
      const why = 'the header was altered after sealing'
      throw new CryptoError('HEADER_REFUSED', 'header', why)
    } catch (error) {
      // Whatever stopped this one (a closed epoch, a committee out of reach, a stanza that wraps some other key), another may
      // still open its own stanza.
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  throw new CryptoError(
    'NO_MATCHING_IDENTITY',
    '$.recipients',
    `not sealed to any of the ${identities.length} identities`,
  )
}
