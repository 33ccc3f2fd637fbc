/**
 * Sealed stores in memory, one contribution to put into them, and what they hold.
 * @module
 */
import { platformRandom } from '@sealpool/crypto'
import { aesRowCipher } from '../state/aes-row-cipher.js'
import { allRows } from '../state/change-capture.js'
import type { ChainContribution } from '../state/contribution-table.js'
import type { RowCipher } from '../state/row-cipher.js'
import { openSealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from './memory-store.js'

export const cipherWith =
  (key: Uint8Array) =>
  (store: Uint8Array): RowCipher =>
    aesRowCipher({ key, store, random: platformRandom })
export const cipherOf = cipherWith(new Uint8Array(32).fill(5))

/** Opens another empty store in memory. */
export const memory = memoryStores()

/** The same store again, as after a stop: what was in memory is gone, what lasts is not. */
export const reopened = (
  durable: StateStore,
  more: { cipherOf?: typeof cipherOf } = {},
): Promise<StateStore> =>
  openSealedStore({
    durable: { ...durable, close: async () => undefined },
    openWorking: memory,
    cipherOf,
    random: platformRandom,
    ...more,
  })
/** Every row of every table. */
export const everything = async (store: StateStore): Promise<readonly string[]> =>
  (await store.transaction(allRows)).map(({ table, key: name, row }) => `${table} ${name} ${row}`).sort()

export const canary = 'Canary-0123456789-canary'
export const contribution: ChainContribution = {
  id: '100000000000000001',
  pool: `0x${'b'.repeat(40)}`,
  owner: `0x${'ca11ab1e'.repeat(5)}`,
  blobDigest: `sha256:${'1'.repeat(64)}`,
  commitment: `sha256:${'2'.repeat(64)}`,
  schemaId: `0x${'3'.repeat(64)}`,
  consentDigest: `0x${'4'.repeat(64)}`,
  epoch: 1,
  locator: canary,
  blockNumber: 9_007_199_254_740_993n,
  blockHash: `0x${'5'.repeat(64)}`,
  logIndex: 0,
  merkle: null,
}
