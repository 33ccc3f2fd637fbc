import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { needText } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import type { Hex } from '../verdict/verdict.js'

/**
 * Digest of a dstack MrConfig document of version 3: HOST_DATA of an SEV-SNP guest. The document is hashed as it was received;
 * parsing and writing it again would change it.
 *
 * @param document JSON text
 * @returns 32 bytes
 */
export function mrConfigDigest(document: string): Hex {
  needText(document, 'document')
  const utf8 = new TextEncoder()
  return `0x${bytesToHex(sha256(concatBytes(utf8.encode('dstack-mr-config-v3:\0'), utf8.encode(document))))}`
}

/** Who gives an app its keys, by the number that MrConfig has for it. */
export const dstackKeyProviders = { none: 0, local: 1, kms: 2, tpm: 3, 'snp-derived': 4 } as const

/** What MRCONFIGID names. */
export type MrConfig =
  | { readonly version: 1; readonly composeHash: Hex }
  | {
      readonly version: 2
      readonly composeHash: Hex
      /** 20 bytes. */
      readonly appId: Hex
      readonly keyProvider: keyof typeof dstackKeyProviders
      /** Bytes that name the provider, for example its public key; empty for `none`. */
      readonly keyProviderId: Hex
    }
  | { readonly version: 3; readonly document: string }

function bytesOf(value: string, place: string, length?: number): Uint8Array {
  if (!/^0x(?:[0-9a-f]{2})*$/.test(value) || (length !== undefined && value.length !== 2 + 2 * length)) {
    const what = length === undefined ? 'Bytes' : `${length} bytes`
    throw new AttestError(
      'BAD_ARGUMENT',
      `config.${place}`,
      `${what} in lower-case hex behind 0x are expected`,
    )
  }
  return hexToBytes(value.slice(2))
}

function named(config: MrConfig): Uint8Array {
  if (config.version === 3) return bytesOf(mrConfigDigest(config.document), 'document')
  const composeHash = bytesOf(config.composeHash, 'composeHash', 32)
  if (config.version === 1) return composeHash
  const { appId, keyProvider, keyProviderId } = config
  if (config.version !== 2 || !Object.hasOwn(dstackKeyProviders, keyProvider))
    throw new AttestError('BAD_ARGUMENT', 'config', 'The version or the key provider is not known')
  return keccak_256(
    concatBytes(
      composeHash,
      bytesOf(appId, 'appId', 20),
      Uint8Array.of(dstackKeyProviders[keyProvider]),
      bytesOf(keyProviderId, 'keyProviderId'),
    ),
  )
}

/**
 * MRCONFIGID that dstack gives to a TD: the version's byte, then what it names, zeros behind.
 *
 * @param config compose hash (version 1), app and key provider (version 2), or the document (version 3)
 * @returns 48 bytes
 * @throws AttestError `BAD_ARGUMENT` when a field has another length or form
 */
export function mrConfigId(config: MrConfig): Hex {
  return `0x0${config.version}${bytesToHex(named(config))}${'00'.repeat(15)}`
}
