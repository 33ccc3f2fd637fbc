/**
 * What a contributor seals: the commitment's salt, then the export. The salt travels inside the seal because anyone
 * who held it could test guesses of the content against the public commitment.
 * @module
 */

/** Bytes of the salt at the head of a sealed contribution. */
export const payloadSaltBytes = 32

/**
 * @param salt 32 random bytes, as given to `commitPlaintext`
 * @param bytes the export
 * @returns what to seal
 */
export function joinPayload(salt: Uint8Array, bytes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(salt.length + bytes.length)
  payload.set(salt)
  payload.set(bytes, salt.length)
  return payload
}

/**
 * @param payload what was opened
 * @returns salt and export, or undefined when it is too short to hold a salt
 */
export function splitPayload(
  payload: Uint8Array,
): { readonly salt: Uint8Array; readonly bytes: Uint8Array } | undefined {
  if (payload.length < payloadSaltBytes) return undefined
  return { salt: payload.subarray(0, payloadSaltBytes), bytes: payload.subarray(payloadSaltBytes) }
}
