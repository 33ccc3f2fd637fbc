const octets = /* @__PURE__ */ Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'))

/**
 * Bytes as lower-case hex without 0x. Verification needs nothing else of a library of conversions, which is a thirtieth of
 * the verifier.
 *
 * @param bytes any bytes
 * @returns two digits per byte
 */
export function bytesToHex(bytes: Uint8Array): string {
  let text = ''
  for (const octet of bytes) text += octets[octet]
  return text
}
