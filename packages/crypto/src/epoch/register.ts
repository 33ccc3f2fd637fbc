import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, parseDigest } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { exactly } from '../encoding/exact-object.js'
import { requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError, type CryptoErrorCode } from '../errors.js'
import { type Kem, requireKem } from '../hpke/kem.js'
import { keyIdOfKey, requirePublicKey } from '../recipient/x25519.js'

/** One key epoch of a pool, as everyone may see it. */
export interface KeyEpoch extends JsonObject {
  /** 0 to 2^32 - 1, greater than the one before. */
  readonly epoch: number
  readonly policyDigest: Digest
  readonly kem: Kem['name']
  /** base64url. */
  readonly publicKey: string
  /** SHA-256 of the public key. */
  readonly keyId: Digest
  /** `current`: new files are sealed to it. `readable`: old files still open. `retired`: nothing opens any more. */
  readonly state: 'current' | 'readable' | 'retired'
}

/** A pool's key epochs, oldest first; the last one is current. Plain JSON data, public. */
export interface KeyEpochs {
  readonly format: 'sealpool/key-epochs'
  readonly version: 1
  readonly chainId: number
  readonly pool: Address
  readonly epochs: readonly KeyEpoch[]
}

/** A new epoch. */
export interface NewKeyEpoch {
  readonly epoch: number
  readonly policyDigest: Digest
  readonly publicKey: Uint8Array
  readonly kem: Kem
}

const maximumEpochs = 100_000
const keyLengths: Readonly<Record<string, number>> = { x25519: 32, xwing: 1216 }

/**
 * Publishes a pool's first key epoch.
 *
 * @param options - `chainId`, `pool`, and the epoch
 * @returns the register
 * @throws CryptoError `EPOCH_INVALID`, `KEY_INVALID`
 */
export function publishKeyEpochs(
  options: { readonly chainId: number; readonly pool: Address } & NewKeyEpoch,
): KeyEpochs {
  requireOptions(options)
  const { chainId, pool } = options
  const epochs = [entryOf(options)]
  return parseKeyEpochs({ format: 'sealpool/key-epochs', version: 1, chainId, pool: lowerCase(pool), epochs })
}

/**
 * Makes a new epoch the current one; the one before stays readable.
 *
 * @param register - the pool's epochs
 * @param next - the new epoch; its number is greater than the current one's
 * @returns the new register
 * @throws CryptoError `EPOCH_INVALID` for a number that is not greater or a key that was used before; `KEY_INVALID`
 */
export function rotateKeyEpoch(register: KeyEpochs, next: NewKeyEpoch): KeyEpochs {
  const epochs = parseKeyEpochs(register).epochs.map((each) =>
    each.state === 'current' ? { ...each, state: 'readable' as const } : each,
  )
  return parseKeyEpochs({ ...register, epochs: [...epochs, entryOf(requireOptions(next, 'next'))] })
}

/**
 * Retires an epoch: its key opens nothing from now on, in every program that goes by this register. Destroy the root, or
 * re-wrap and delete old headers, to make that true against everyone.
 *
 * @param register - the pool's epochs
 * @param epoch - number of a readable epoch
 * @returns the new register
 * @throws CryptoError `EPOCH_INVALID` for the current epoch, one that is retired already, or none
 */
export function retireKeyEpoch(register: KeyEpochs, epoch: number): KeyEpochs {
  if (!parseKeyEpochs(register).epochs.some((each) => each.epoch === epoch && each.state === 'readable')) {
    throw invalid('epoch', 'only an epoch that is readable and not current can be retired; rotate first')
  }
  const epochs = register.epochs.map((each) =>
    each.epoch === epoch ? { ...each, state: 'retired' as const } : each,
  )
  return parseKeyEpochs({ ...register, epochs })
}

/**
 * How often a register was changed, and 1: it grows with every rotation and every retirement, so of two registers of one
 * pool the one with the smaller revision is the older one.
 *
 * @param register - the pool's epochs
 * @returns the number of its epochs and of those that are retired
 */
export function keyEpochsRevision(register: KeyEpochs): number {
  const { epochs } = parseKeyEpochs(register)
  return epochs.length + epochs.filter(({ state }) => state === 'retired').length
}

/**
 * The epoch to which new files are sealed.
 *
 * @param register - the pool's epochs
 * @returns the current epoch
 * @throws CryptoError `EPOCH_INVALID` when the register is not well-formed
 */
export function currentKeyEpoch(register: KeyEpochs): KeyEpoch {
  const last = parseKeyEpochs(register).epochs.at(-1)
  if (last === undefined) throw invalid('$.epochs', 'a register has at least one epoch')
  return last
}

/**
 * Reads a register.
 *
 * @param value - any value, for one from `JSON.parse`
 * @returns the register
 * @throws CryptoError `EPOCH_INVALID`, its place naming the field
 */
export function parseKeyEpochs(value: unknown): KeyEpochs {
  const fields = exactly(value, ['format', 'version', 'chainId', 'pool', 'epochs'], 'EPOCH_INVALID', '$')
  if (fields['format'] !== 'sealpool/key-epochs' || fields['version'] !== 1) {
    throw invalid('$.version', 'expected key epochs of version 1; update this package')
  }
  const chainId = fields['chainId']
  if (!isWhole(chainId, 1)) {
    throw invalid('$.chainId', 'a chain id is a positive whole number')
  }
  const pool = read('$.pool', () => parseAddress(fields['pool']))
  if (pool !== fields['pool']) throw invalid('$.pool', 'expected an address in lower case')
  const list = fields['epochs']
  if (!Array.isArray(list) || list.length === 0 || list.length > maximumEpochs) {
    throw invalid('$.epochs', `expected 1 to ${maximumEpochs} epochs`)
  }
  // Not `map`, which passes over holes.
  const epochs = Array.from(list, (each: unknown, index) => parseEpoch(each, `$.epochs[${index}]`))
  const keys = new Set<string>()
  epochs.forEach((each, index) => {
    const place = `$.epochs[${index}]`
    const before = epochs[index - 1]
    if (before !== undefined && each.epoch <= before.epoch) {
      throw invalid(`${place}.epoch`, 'each epoch is greater than the one before')
    }
    if ((each.state === 'current') !== (index === epochs.length - 1)) {
      throw invalid(`${place}.state`, 'the last epoch, and no other, is current')
    }
    if (keys.has(each.keyId)) throw invalid(`${place}.keyId`, 'each epoch has a key of its own')
    keys.add(each.keyId)
  })
  return { format: 'sealpool/key-epochs', version: 1, chainId, pool, epochs }
}

function parseEpoch(value: unknown, place: string): KeyEpoch {
  const names = ['epoch', 'policyDigest', 'kem', 'publicKey', 'keyId', 'state']
  const { epoch, policyDigest, kem, publicKey, keyId, state } = exactly(value, names, 'EPOCH_INVALID', place)
  if (!isWhole(epoch, 0, 2 ** 32 - 1)) {
    throw invalid(`${place}.epoch`, 'an epoch is a whole number below 2^32')
  }
  if (kem !== 'x25519' && kem !== 'xwing') throw invalid(`${place}.kem`, 'expected x25519 or xwing')
  if (state !== 'current' && state !== 'readable' && state !== 'retired') {
    throw invalid(`${place}.state`, 'expected current, readable or retired')
  }
  const key = read(`${place}.publicKey`, () => decodeBase64Url(publicKey as string))
  if (key.length !== keyLengths[kem]) throw invalid(`${place}.publicKey`, 'the key has another length')
  // The last 32 bytes of an X-Wing key are an X25519 key.
  read(`${place}.publicKey`, () => requirePublicKey(key.slice(-32)))
  if (keyIdOfKey(key) !== keyId) throw invalid(`${place}.keyId`, 'expected the SHA-256 of the public key')
  return {
    epoch,
    policyDigest: read(`${place}.policyDigest`, () => parseDigest(policyDigest)),
    kem,
    publicKey: publicKey as string,
    keyId,
    state,
  } as KeyEpoch
}

function entryOf({ epoch, policyDigest, publicKey, kem }: NewKeyEpoch): KeyEpoch {
  const key = requireKem(kem).requirePublicKey(publicKey)
  return {
    epoch,
    policyDigest,
    kem: kem.name,
    publicKey: encodeBase64Url(key),
    keyId: keyIdOfKey(key),
    state: 'current',
  }
}

function lowerCase(pool: Address): Address {
  return read('$.pool', () => parseAddress(pool))
}

function read<T>(place: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw invalid(place, 'not in its one form', error)
  }
}

function invalid(place: string, why: string, cause?: unknown): CryptoError {
  const code: CryptoErrorCode = 'EPOCH_INVALID'
  return new CryptoError(code, place, why, cause === undefined ? undefined : { cause })
}
