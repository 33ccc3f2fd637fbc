import { hkdf } from '@noble/hashes/hkdf.js'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { requireBytes } from '../encoding/bytes.js'
import { isPlain } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'
import { readRecoveryCode } from './recovery-code.js'

/**
 * Something beside the wallet that opens a backup: a recovery code on paper, a passphrase, or 32 secret bytes that a
 * device keeps (a passkey's PRF output, a hardware key).
 */
export type RecoveryFactor =
  | { readonly kind: 'recovery-code'; readonly code: string }
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | {
      readonly kind: 'secret' /** Tells devices apart. */
      readonly name: string
      readonly secret: Uint8Array
    }

const keyLabel = /* @__PURE__ */ utf8('sealpool/wallet-key-backup/1/factor')
/** log2 of scrypt's N for new backups: 128 MiB and about a second of one core. */
const workOfWriters = 17
// A hostile backup must not be able to ask for more than 256 MiB, nor pass off a passphrase that is cheap to guess.
const workLimits = { minimum: 15, maximum: 18 } as const

/**
 * Reads a factor once, so that the caller may wipe its own.
 *
 * @param factor - what the caller gave
 * @returns a copy, also of its bytes
 * @throws CryptoError `OPTION_INVALID` for what is no object; `KEY_INVALID` for a `secret` of another length
 */
export function ownFactor(factor: RecoveryFactor): RecoveryFactor {
  if (!isPlain(factor)) {
    throw new CryptoError('OPTION_INVALID', 'factor', 'expected an object with its kind')
  }
  const own = { ...(factor as RecoveryFactor) }
  return own.kind === 'secret'
    ? { ...own, secret: new Uint8Array(requireBytes(own.secret, 32, 'factor.secret')) }
    : own
}

/**
 * What a backup says about a factor, so that a reader knows how to use it.
 *
 * @param factor - the factor
 * @param work - log2 of scrypt's N, for passphrases
 * @returns the public fields, without salt and wrapped secret
 * @throws CryptoError `OPTION_INVALID` for a factor that is none or too weak
 */
export function factorLabel(factor: RecoveryFactor, work = workOfWriters): JsonObject {
  switch (factor.kind) {
    case 'recovery-code':
      return { kind: factor.kind }
    case 'passphrase':
      requirePassphrase(factor.passphrase)
      return { kind: factor.kind, kdf: 'scrypt', work: requireWork(work, 'OPTION_INVALID', 'work') }
    case 'secret':
      if (typeof factor.name !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(factor.name)) {
        const why = 'a device has a name of 1 to 64 printable ASCII characters'
        throw new CryptoError('OPTION_INVALID', 'factor.name', why)
      }
      return { kind: factor.kind, name: factor.name }
    default:
      throw new CryptoError('OPTION_INVALID', 'factor.kind', 'expected recovery-code, passphrase or secret')
  }
}

/**
 * The key that wraps the secret for a factor.
 *
 * @param factor - the factor
 * @param salt - 32 random bytes, of this wrap alone
 * @param work - log2 of scrypt's N, for passphrases
 * @returns 32 secret bytes
 * @throws CryptoError `RECOVERY_CODE_INVALID`, `KEY_INVALID`, `OPTION_INVALID`
 */
export async function factorKey(factor: RecoveryFactor, salt: Uint8Array, work: number): Promise<Uint8Array> {
  switch (factor.kind) {
    case 'recovery-code':
      return hkdf(sha256, readRecoveryCode(factor.code), salt, keyLabel, 32)
    case 'secret':
      return hkdf(sha256, requireBytes(factor.secret, 32, 'factor.secret'), salt, keyLabel, 32)
    case 'passphrase': {
      const passphrase = utf8(requirePassphrase(factor.passphrase))
      return scryptAsync(passphrase, salt, { N: 2 ** work, r: 8, p: 1, dkLen: 32, maxmem: 2 ** 29 })
    }
  }
}

/**
 * Checks the work that a backup asks for.
 *
 * @param work - log2 of scrypt's N
 * @param code - reason to give in the error
 * @param place - where it stands
 * @returns the work
 * @throws CryptoError with `code` outside 15 to 18
 */
export function requireWork(work: unknown, code: 'OPTION_INVALID' | 'BACKUP_INVALID', place: string): number {
  const { minimum, maximum } = workLimits
  if (typeof work !== 'number' || !Number.isInteger(work) || work < minimum || work > maximum) {
    throw new CryptoError(code, place, `expected a whole number from ${minimum} to ${maximum}`)
  }
  return work
}

function requirePassphrase(passphrase: unknown): string {
  // The same passphrase typed on another keyboard may come in another Unicode form.
  const normal = typeof passphrase === 'string' ? passphrase.normalize('NFKC') : ''
  if (normal.length < 12 || normal.length > 1024) {
    throw new CryptoError('OPTION_INVALID', 'factor.passphrase', 'a passphrase has 12 to 1,024 characters')
  }
  return normal
}
