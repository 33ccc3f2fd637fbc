const table = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value >>> 0
})

/**
 * CRC-32 of ZIP (APPNOTE.TXT 4.4.7, ISO-HDLC), in steps.
 *
 * @param bytes - the next bytes
 * @param before - result of the bytes before, 0 at first
 * @returns the check sum so far
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let value = ~before >>> 0
  for (const byte of bytes) value = (table[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8)
  return ~value >>> 0
}
