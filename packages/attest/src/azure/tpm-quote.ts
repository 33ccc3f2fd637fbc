import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'

/** A TPM quote (TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE, TPM 2.0 part 2, 10.12.8). */
export interface TpmQuote {
  /** The caller's nonce. */
  readonly extraData: Uint8Array
  /** Indexes of the platform configuration registers that the digest covers, ascending. */
  readonly registers: readonly number[]
  /** TPM_ALG_ID of the bank, 0x000b for SHA-256. */
  readonly bank: number
  readonly registerDigest: Uint8Array
}

/** TPM_ALG_SHA256. */
export const tpmSha256 = 0x000b

/**
 * Reads a TPM quote; nothing is verified.
 *
 * @param bytes the TPMS_ATTEST structure that the vTPM signed
 * @returns its parts; the signature is not verified here
 * @throws AttestError `BAD_EVIDENCE`
 */
export function parseTpmQuote(bytes: Uint8Array): TpmQuote {
  needBytes(bytes, 'tpmQuote.message')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bad = (what: string) =>
    new AttestError('BAD_EVIDENCE', 'tpmQuote.message', `Not a TPM quote: ${what}`)
  let at = 0
  const skip = (length: number) => {
    if (length > bytes.length - at) throw bad('it ends too early')
    at += length
    return at - length
  }
  const u16 = () => view.getUint16(skip(2))
  const sized = () => {
    const length = u16()
    const start = skip(length)
    return bytes.subarray(start, start + length)
  }
  if (view.byteLength < 6 || view.getUint32(skip(4)) !== 0xff544347) throw bad('TPM_GENERATED is missing')
  if (u16() !== 0x8018) throw bad('it is another kind of attestation')
  sized() // qualified signer: the key is known from the HCL report
  const extraData = sized()
  skip(17 + 8) // clock, reset counts, firmware version
  if (view.getUint32(skip(4)) !== 1) throw bad('it selects not exactly one bank of registers')
  const bank = u16()
  const size = view.getUint8(skip(1))
  const start = skip(size)
  const registers: number[] = []
  for (let i = 0; i < size * 8; i += 1) {
    if ((((bytes[start + (i >> 3)] ?? 0) >> (i & 7)) & 1) === 1) registers.push(i)
  }
  const registerDigest = sized()
  if (at !== bytes.length) throw bad('bytes are left over')
  return { extraData, registers, bank, registerDigest }
}
