import { encodeHex } from '@sealpool/crypto'
import type { SignedFinding } from '../authenticity/signed-content.js'
import type { ContentItems } from './content-items.js'

/**
 * What is signed in a contribution, each statement an item: a part of a mailbox, or of a device's records, has the items that the whole has,
 * however it is written and whatever the proof reads of it.
 *
 * @param findings of each source
 * @returns items for the pool's keyed indexes, private; undefined where no source takes a file statement by statement, or nothing is authentic
 */
export function signedStatements(findings: readonly (readonly SignedFinding[])[]): ContentItems | undefined {
  const items = new Set<string>()
  for (const { statements = [] } of findings.flat()) {
    for (const hash of statements) items.add(`signed\u001f${encodeHex(hash)}`)
  }
  return items.size === 0 ? undefined : { items: [...items] }
}
