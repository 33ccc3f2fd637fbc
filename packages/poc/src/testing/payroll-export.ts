import { ed25519 } from '@noble/curves/ed25519.js'
import { canonicalBytes, decodeHex, encodeBase64Url, type JsonObject } from '@sealpool/crypto'

// The key pair of RFC 8032 section 7.1, test 1; the proof under test trusts its public half.
const secret = decodeHex('0x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')

export const owner = '0x00112233445566778899aabbccddeeff00112233'
export const pool = '0xffeeddccbbaa99887766554433221100ffeeddcc'

/** A payload that passes every check. */
export const payload = {
  employee: 'canary-employee-4711',
  account: owner,
  period: '1985-05',
  wage: '12.34',
  occupation: 'Clerical',
}

/** Export as the bureau would write it. */
export function signedExport(content: JsonObject = payload, key: Uint8Array = secret): Uint8Array {
  const signature = encodeBase64Url(ed25519.sign(canonicalBytes(content), key))
  return text(JSON.stringify({ issuer: 'Payroll Bureau 1985', payload: content, signature }, null, 2))
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
