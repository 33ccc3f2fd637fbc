import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { PrivacyError } from '../errors.js'
import type { LedgerEntry } from './ledger-entry.js'

/** A point of a pool's ledger that was made known elsewhere, on chain for example, where nobody can take it back. */
export interface LedgerAnchor {
  readonly pool: string
  readonly version: number
  /** Hash of the entry of that version. */
  readonly head: string
}

/**
 * One digest for the heads of several pools, to be anchored in one transaction.
 *
 * @param anchors - One for each pool, in any order.
 * @returns `sha256:` and 64 lower-case hexadecimal digits.
 * @throws PrivacyError `PARAMETER_INVALID` when a pool is named twice.
 */
export function anchorDigest(anchors: readonly LedgerAnchor[]): string {
  const sorted = [...anchors].sort((a, b) => (a.pool < b.pool ? -1 : 1))
  if (sorted.some(({ pool }, index) => pool === sorted[index - 1]?.pool)) {
    throw new PrivacyError('PARAMETER_INVALID', 'anchors', 'A pool is named twice; anchor one head of each.')
  }
  const hash = sha256.create().update(utf8ToBytes('sealpool/ledger-anchor/1\0'))
  for (const { pool, version, head } of sorted) {
    for (const field of [pool, String(version), head]) {
      const bytes = utf8ToBytes(field)
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, bytes.length)
      hash.update(length).update(bytes)
    }
  }
  return `sha256:${bytesToHex(hash.digest())}`
}

/**
 * Refuses a ledger that an anchor is not part of: it was rolled back or rewritten since.
 *
 * @param entries - A pool's entries, oldest first, verified.
 * @param anchor - Anchor of that pool.
 * @throws PrivacyError `LEDGER_CHAIN_BROKEN`.
 */
export function assertAnchored(entries: readonly LedgerEntry[], anchor: LedgerAnchor): void {
  const entry = entries[anchor.version]
  if (entry?.pool === anchor.pool && entry.hash === anchor.head) return
  throw new PrivacyError(
    'LEDGER_CHAIN_BROKEN',
    `entries[${anchor.version}]`,
    'The budget ledger does not hold an entry that was anchored: it was rolled back or rewritten. Do not release anything; restore the newest copy.',
  )
}
