const encoder = /* @__PURE__ */ new TextEncoder()

/**
 * The UTF-8 bytes of a text.
 *
 * @param text - any text
 * @returns its bytes
 */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  // Of this realm, whatever the encoder's is.
  return new Uint8Array(encoder.encode(text))
}
