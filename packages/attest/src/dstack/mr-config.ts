import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
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
  const utf8 = new TextEncoder()
  return `0x${bytesToHex(sha256(concatBytes(utf8.encode('dstack-mr-config-v3:\0'), utf8.encode(document))))}`
}

/**
 * MRCONFIGID that dstack gives to a TD: the version's byte, then what it names, zeros behind. Version 2 is not known here.
 *
 * @param config compose hash (version 1), or the document (version 3)
 * @returns 48 bytes
 * @throws AttestError `BAD_ARGUMENT` when the compose hash has not 32 bytes
 */
export function mrConfigId(
  config:
    | { readonly version: 1; readonly composeHash: Hex }
    | { readonly version: 3; readonly document: string },
): Hex {
  const named = config.version === 1 ? config.composeHash : mrConfigDigest(config.document)
  if (!/^0x[0-9a-f]{64}$/.test(named)) {
    throw new AttestError(
      'BAD_ARGUMENT',
      'config.composeHash',
      'A digest of 32 bytes in lower-case hex is expected',
    )
  }
  return `0x0${config.version}${named.slice(2)}${'00'.repeat(15)}`
}
