import { register } from 'tsx/esm/api'

register()
const state = '../../packages/enclave-node/src/state'
const { insertJob, openProposals } = await import(`${state}/job-table.ts`)
const { migrate } = await import(`${state}/migration.ts`)
const { openPgliteStore } = await import(`${state}/pglite-store.ts`)

const address = (number) => `0x${number.toString(16).padStart(40, '0')}`

/**
 * A store with many open proposals.
 *
 * @param count how many
 * @returns `search`, which gives one page of those of one pool, and `close`
 */
export async function manyProposals(count) {
  const store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
  await store.transaction(async (tx) => {
    for (let id = 1; id <= count; id++) {
      const job = {
        id: String(id),
        consumer: address(id % 97),
        manifestDigest: `sha256:${id.toString(16).padStart(64, '0')}`,
        locator: 'x',
        pools: [address(1_000 + (id % 50))],
      }
      await insertJob(tx, job, BigInt(id))
    }
  })
  const pool = address(1_049)
  return {
    async search() {
      const found = await openProposals(store, { pool, after: String(count / 2), limit: 50 })
      if (found.length !== 50) throw new Error(`${found.length} proposals were found`)
    },
    close: () => store.close(),
  }
}
