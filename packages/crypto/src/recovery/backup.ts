import { aeadTagLength, importAeadKey } from '../aead/aead.js'
import type { Backend } from '../aead/backend.js'
import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, parseDigest } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { drawRandom, type Random, requireBytes, requireNonZero } from '../encoding/bytes.js'
import { exactly } from '../encoding/exact-object.js'
import { requireKnownNames, requireList, requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import type { Kem } from '../hpke/kem.js'
import { walletIdentityFromSecret } from '../recipient/wallet-key.js'
import { factorKey, factorLabel, ownFactor, type RecoveryFactor, requireWork } from './factor.js'

/** A wallet's random key, wrapped for each of several factors; any one of them opens it. It may lie in public. */
export interface WalletKeyBackup {
  readonly format: 'sealpool/wallet-key-backup'
  readonly version: 1
  readonly chainId: number
  readonly address: Address
  /** Id of the wallet's public key, by which stanzas name it. */
  readonly keyId: Digest
  readonly factors: readonly WrappedSecret[]
}

/** The secret as one factor opens it. */
export interface WrappedSecret extends JsonObject {
  readonly kind: RecoveryFactor['kind']
  /** base64url, 32 bytes. */
  readonly salt: string
  /** base64url, 48 bytes. */
  readonly wrapped: string
}

/** Whose key a backup holds. */
export type BackupSubject = Pick<WalletKeyBackup, 'chainId' | 'address' | 'keyId'>

const maximumFactors = 16
/** Each takes a second and 256 MiB to try, one after the other. */
const maximumPassphrases = 2
const secretLength = 32
const saltLength = 32
// Each wrap has a key of its own, from a fresh salt: no nonce can repeat under it.
const nonce = /* @__PURE__ */ new Uint8Array(12)

/**
 * Wraps a wallet's random secret for one or more factors.
 *
 * @param options - whose key it is; `secret`: 32 bytes, from `establishWalletKey`; `factors`: 1 to 16; `kem`: as when the
 *   key was made, `x25519Kem` by default; `random`
 * @returns the backup, plain JSON data
 * @throws CryptoError `OPTION_INVALID` (also when the secret does not make the key of this id), `KEY_INVALID` (also for a secret of
 *   zeros, the wallet's or a factor's), `RECOVERY_CODE_INVALID`, `RANDOM_INVALID`
 */
export async function createWalletKeyBackup(
  options: BackupSubject & {
    readonly secret: Uint8Array
    readonly factors: readonly RecoveryFactor[]
    readonly kem?: Kem | undefined
    readonly random: Random
    readonly backend?: Backend | undefined
  },
): Promise<WalletKeyBackup> {
  requireOptions(options)
  const { random, kem, backend = 'auto' } = options
  const subject = subjectOf(options, 'OPTION_INVALID')
  // Copies before the first wait, so that the caller may wipe what it gave. They are wiped here, also after a refusal.
  const secret = new Uint8Array(requireBytes(options.secret, secretLength, 'secret'))
  const factors: RecoveryFactor[] = []
  try {
    for (const factor of requireList(options.factors, 'factors')) factors.push(ownFactor(factor))
    requireFactors(factors)
    for (const factor of factors) {
      if (factor.kind === 'secret') requireNonZero(factor.secret, 'KEY_INVALID', 'factor.secret')
    }
    // A backup of the wrong secret would open, and the key would be lost all the same.
    if (walletIdentityFromSecret({ secret, address: subject.address, kem }).keyId !== subject.keyId) {
      const why =
        'the secret does not make the key of this id at this address; give its `kem` if it is no X25519 key'
      throw new CryptoError('OPTION_INVALID', 'keyId', why)
    }
    const wraps: WrappedSecret[] = []
    for (const factor of factors) {
      const salt = drawRandom(random, saltLength)
      const label = { ...factorLabel(factor), kind: factor.kind, salt: encodeBase64Url(salt) }
      const key = await importAeadKey('aes-256-gcm', await factorKey(factor, salt, workOf(label)), backend)
      const wrapped = await key.seal(nonce, secret, associated(subject, label))
      wraps.push({ ...label, wrapped: encodeBase64Url(wrapped) })
    }
    return { format: 'sealpool/wallet-key-backup', version: 1, ...subject, factors: wraps }
  } finally {
    secret.fill(0)
    for (const factor of factors) if (factor.kind === 'secret') factor.secret.fill(0)
  }
}

function requireFactors(factors: readonly RecoveryFactor[]): void {
  if (factors.length === 0 || factors.length > maximumFactors) {
    throw new CryptoError('OPTION_INVALID', 'factors', `a backup has 1 to ${maximumFactors} factors`)
  }
  if (factors.filter((factor) => factor.kind === 'passphrase').length > maximumPassphrases) {
    const why = `a backup has at most ${maximumPassphrases} passphrases`
    throw new CryptoError('OPTION_INVALID', 'factors', why)
  }
}

/**
 * Opens a backup with one of its factors.
 *
 * @param backup - what {@link createWalletKeyBackup} gave, or the same read from JSON; hostile values are refused
 * @param options - the `factor`; `expect`: whose key it must be, a plain object without undefined fields; `kem`: as when the key
 *   was made, to be given always: only then is what comes out compared with the backup's key id, and a backup that was made of
 *   wrong bytes refused (`BACKUP_REFUSED`)
 * @returns the secret, 32 bytes
 * @throws CryptoError `BACKUP_INVALID` (no backup), `CONTEXT_MISMATCH` (another wallet's), `BACKUP_REFUSED` (no wrap of
 *   this kind opens: another factor, or the backup was changed), `KEY_INVALID` (a factor's secret of another length; with `kem`, a
 *   backup that holds zeros), `RECOVERY_CODE_INVALID`, `OPTION_INVALID`
 */
export async function openWalletKeyBackup(
  backup: unknown,
  options: {
    readonly factor: RecoveryFactor
    readonly expect?: Partial<BackupSubject>
    /** Give it always: without it nothing compares the secret with the backup's key id. */
    readonly kem?: Kem | undefined
    readonly backend?: Backend | undefined
  },
): Promise<Uint8Array> {
  requireKnownNames(options, ['factor', 'expect', 'kem', 'backend'], ['expect'])
  const { expect = {}, kem, backend = 'auto' } = options
  const factor = ownFactor(options.factor)
  const parsed = parseWalletKeyBackup(backup)
  requireSubject(parsed, expect)
  const wanted = factorLabel(factor)
  const costly = parsed.factors.filter(({ kind }) => kind === 'passphrase').length
  if (factor.kind === 'passphrase' && costly > maximumPassphrases) {
    throw invalid('$.factors', `more than ${maximumPassphrases} passphrases: trying them would take too long`)
  }
  for (const { wrapped, ...label } of parsed.factors) {
    if (label.kind !== factor.kind) continue
    if (factor.kind === 'secret' && label['name'] !== wanted['name']) continue
    const key = await factorKey(factor, decodeBase64Url(label.salt), workOf(label))
    const aead = await importAeadKey('aes-256-gcm', key, backend)
    const secret = await aead.open(nonce, decodeBase64Url(wrapped), associated(subjectOf(parsed), label))
    if (secret === undefined) continue
    const { address, keyId } = parsed
    if (kem !== undefined && walletIdentityFromSecret({ secret, address, kem }).keyId !== keyId) {
      throw new CryptoError(
        'BACKUP_REFUSED',
        '$.keyId',
        'what is in the backup does not make the key of this id',
      )
    }
    return secret
  }
  const why = 'this factor opens no part of the backup: it is another factor, or the backup was changed'
  throw new CryptoError('BACKUP_REFUSED', 'factor', why)
}

/**
 * Reads a backup.
 *
 * @param value - any value, for one from `JSON.parse`
 * @returns the backup
 * @throws CryptoError `BACKUP_INVALID`, its place naming the field
 */
export function parseWalletKeyBackup(value: unknown): WalletKeyBackup {
  const fields = exactly(
    value,
    ['format', 'version', 'chainId', 'address', 'keyId', 'factors'],
    'BACKUP_INVALID',
    '$',
  ) as Record<string, JsonValue>
  if (fields['format'] !== 'sealpool/wallet-key-backup' || fields['version'] !== 1) {
    throw invalid('$.version', 'expected a wallet key backup of version 1; update this package')
  }
  const subject = subjectOf(fields as unknown as BackupSubject)
  if (subject.address !== fields['address']) throw invalid('$.address', 'expected an address in lower case')
  const factors = fields['factors']
  if (!Array.isArray(factors) || factors.length === 0 || factors.length > maximumFactors) {
    throw invalid('$.factors', `expected 1 to ${maximumFactors} factors`)
  }
  // Not `map`, which passes over holes.
  const wraps = Array.from(factors, (each: unknown, index) => parseWrap(each, `$.factors[${index}]`))
  return { format: 'sealpool/wallet-key-backup', version: 1, ...subject, factors: wraps }
}

const fieldsOfKind: Readonly<Record<string, readonly string[]>> = {
  'recovery-code': [],
  passphrase: ['kdf', 'work'],
  secret: ['name'],
}

function parseWrap(value: unknown, place: string): WrappedSecret {
  const kind = (value as { kind?: unknown } | null)?.kind
  const own = typeof kind === 'string' && Object.hasOwn(fieldsOfKind, kind) ? fieldsOfKind[kind] : undefined
  if (own === undefined) throw invalid(`${place}.kind`, 'expected recovery-code, passphrase or secret')
  const fields = exactly(value, ['kind', 'salt', 'wrapped', ...own], 'BACKUP_INVALID', place) as Record<
    string,
    JsonValue
  >
  requireLength(fields['salt'], saltLength, `${place}.salt`)
  requireLength(fields['wrapped'], secretLength + aeadTagLength, `${place}.wrapped`)
  if (kind === 'passphrase') {
    if (fields['kdf'] !== 'scrypt') throw invalid(`${place}.kdf`, 'expected scrypt')
    requireWork(fields['work'], 'BACKUP_INVALID', `${place}.work`)
  }
  if (kind === 'secret' && typeof fields['name'] !== 'string') throw invalid(`${place}.name`, 'expected text')
  return fields as WrappedSecret
}

function workOf(label: JsonObject): number {
  return typeof label['work'] === 'number' ? label['work'] : 0
}

function associated(subject: BackupSubject, label: JsonObject): Uint8Array {
  return canonicalBytes({
    format: 'sealpool/wallet-key-backup',
    version: 1,
    chainId: subject.chainId,
    address: subject.address,
    keyId: subject.keyId,
    factor: label,
  })
}

function subjectOf(
  value: BackupSubject,
  code: 'BACKUP_INVALID' | 'OPTION_INVALID' = 'BACKUP_INVALID',
): BackupSubject {
  const { chainId } = value
  if (!isWhole(chainId, 1)) {
    throw new CryptoError(code, '$.chainId', 'a chain id is a positive whole number')
  }
  try {
    return { chainId, address: parseAddress(value.address), keyId: parseDigest(value.keyId) }
  } catch (error) {
    throw new CryptoError(code, '$', 'expected an address and a key id', { cause: error })
  }
}

const subjectNames = ['chainId', 'address', 'keyId'] as const

function requireSubject(backup: WalletKeyBackup, expect: Partial<BackupSubject>): void {
  // Nothing in the place of an expectation (a misspelt setting, a Map) must not pass as none.
  requireKnownNames(expect, subjectNames, subjectNames, 'expect')
  for (const name of subjectNames) {
    const wanted: unknown = expect[name]
    const lower = name === 'address' && typeof wanted === 'string' ? wanted.toLowerCase() : wanted
    if (wanted !== undefined && backup[name] !== lower) {
      throw new CryptoError('CONTEXT_MISMATCH', `$.${name}`, 'the backup holds another wallet’s key')
    }
  }
}

function requireLength(value: unknown, length: number, place: string): void {
  try {
    if (decodeBase64Url(value as string).length === length) return
  } catch {
    // Refused below.
  }
  throw invalid(place, `expected ${length} bytes in base64url`)
}

function invalid(place: string, why: string): CryptoError {
  return new CryptoError('BACKUP_INVALID', place, why)
}
