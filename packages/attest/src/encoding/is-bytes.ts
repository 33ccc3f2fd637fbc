/**
 * Whether a value is a Uint8Array, of this realm or of another (a frame, `node:vm`, jsdom): `instanceof` knows those of its own only.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]'
}
