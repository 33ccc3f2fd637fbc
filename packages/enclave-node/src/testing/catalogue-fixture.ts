/**
 * Entries of a catalogue for tests and the bench; the signature of this one is none.
 * @module
 */
import type { Address, SignedStatement } from '@sealpool/crypto'
import type { CatalogueEntry, SignedEntry } from '../catalogue/catalogue-entry.js'

/** An entry of pool number `number`. */
export function signedEntryFixture(number: number, change: Partial<CatalogueEntry> = {}): SignedEntry {
  const pool: Address = `0x${number.toString(16).padStart(40, '0')}`
  const entry: CatalogueEntry = {
    pool,
    node: `0x${'e'.repeat(40)}`,
    url: 'https://node.example',
    name: `pool ${number}`,
    description: '',
    purposes: [],
    policy: `sha256:${'1'.repeat(64)}`,
    epoch: 1,
    schema: `sha256:${'2'.repeat(64)}`,
    tables: [
      {
        name: 't',
        description: '',
        columns: [{ name: 'hours', type: 'integer', unit: null, description: '' }],
      },
    ],
    contributions: 0,
    price: '0',
    poolTokenBurn: '0',
    measurement: `0x${'3'.repeat(64)}`,
    simulated: true,
    newestBlock: null,
    issuedAt: 0,
    expiresAt: 3_600,
    ...change,
  }
  return { entry, statement: { statement: { body: entry } } as unknown as SignedStatement }
}
