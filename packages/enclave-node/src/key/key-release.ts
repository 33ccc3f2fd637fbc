/**
 * The port through which a node gets the one secret that all its keys come from. In a confidential VM the secret is
 * released to the measurement, by a key broker or by peers; on a developer's machine it lies in a file.
 * @module
 */

/** A way to get the root secret. */
export interface KeyRelease {
  /** Name of the adapter for status pages. */
  readonly name: 'development' | 'dstack' | 'key-broker' | 'peers' | 'sealed'
  /** True when nothing but the operating system keeps the operator from the secret. */
  readonly simulated: boolean
  /**
   * Gets the root secret.
   * @returns 32 bytes, the same at every start of this node
   * @throws NodeError `KEY_UNREADABLE`
   */
  release(): Promise<Uint8Array>
  /**
   * Puts another root in the place of the one that it keeps, whole or not at all; absent where the root comes from elsewhere.
   * @param root 32 bytes, of a node that hands its keys to this one
   * @throws NodeError `KEY_UNREADABLE`
   */
  readonly install?: (root: Uint8Array) => Promise<void>
}
