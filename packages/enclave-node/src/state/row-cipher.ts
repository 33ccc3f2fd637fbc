/**
 * The port through which stored rows are encrypted and authenticated, one at a time.
 * @module
 */

/** Names, seals and opens rows of one store. */
export interface RowCipher {
  /** Which key this is, for a store to tell another key from a changed row; 16 bytes that may be known. */
  readonly keyId: Uint8Array
  /** The store's own random bytes. */
  readonly store: Uint8Array
  /** @returns the name of a row of a table: equal rows have equal names, and nothing else is seen in it */
  name(table: string, key: string): Uint8Array
  /**
   * Seals a text.
   * @param place name and version that the text belongs to: it opens nowhere else
   * @returns nonce, encrypted text of a multiple of 256 bytes, tag
   */
  seal(text: string, place: SealedPlace): Uint8Array
  /** @returns the text, or undefined when the bytes were not sealed for this place with this key */
  open(sealed: Uint8Array, place: SealedPlace): string | undefined
  /**
   * Reads what was stored, as fast as the platform can.
   * @param base64 as PostgreSQL writes it, in lines
   */
  decode(base64: string): Uint8Array
  /** What a row adds to its store's total: a number below 2^256 that only the key tells. */
  weight(sealed: Uint8Array, place: SealedPlace): bigint
}

/** Where a sealed row lies. */
export interface SealedPlace {
  readonly name: Uint8Array
  /** Number of the commit that wrote it, from 1. */
  readonly version: number
}
