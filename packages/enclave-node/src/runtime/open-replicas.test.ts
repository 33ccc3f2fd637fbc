import { memoryBlobStore, replicatedBlobStore } from '@sealpool/client'
import type { Address } from '@sealpool/crypto'
import { afterAll, expect, it } from 'vitest'
import type { ChainPool } from '../chain/chain-port.js'
import { parseNodeConfig } from '../config/node-config.js'
import { insertContribution } from '../state/contribution-table.js'
import { noteBlob } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { until } from '../testing/ask.js'
import { chainContribution } from '../testing/job-fixture.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { settingsWith } from '../testing/settings.js'
import { nodeLogger } from './logger.js'
import { openReplicas } from './open-replicas.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const log = nodeLogger({ level: 'silent', simulated: true })
const one = { kind: 'files', directory: 'one' }
const config = parseNodeConfig(
  settingsWith({ blobStore: { kind: 'replicated', stores: [one, { ...one, directory: 'other' }] } }),
)

it('stops while a store is silent, and audits the same blob at the next start', async () => {
  const [whole, silent] = [memoryBlobStore(), memoryBlobStore()]
  const { digest } = await whole.put(new Uint8Array([1]))
  await insertContribution(store, chainContribution({ id: '1', blobDigest: digest }))
  await store.query(`update contributions set state = 'refined'`)
  await noteBlob(store, { digest, purpose: 'contribution', size: 1 })
  let asked = 0
  const silence = {
    ...silent,
    get: (_: string, read?: { readonly signal?: AbortSignal }) => {
      asked += 1
      return new Promise<never>((_resolve, reject) => {
        read?.signal?.addEventListener('abort', () => reject(read.signal?.reason as Error))
      })
    },
  }
  const open = (second: typeof silent) => {
    const blobStore = replicatedBlobStore({ stores: [whole, second] })
    const jobs = { chain: { pool: async () => Promise.reject(new Error('no chain')) }, pools: [] }
    return openReplicas(config, { store, blobStore, now: () => 1_800_000_000 }, jobs, log, () => true)
  }
  const first = open(silence)
  await until('the silent store is asked', async () => asked === 1)
  await first.stop()
  const second = open(silent)
  await until('repaired', async () => second.figures()['replicas_repaired'] === 1)
  await second.stop()
  expect(await silent.get(digest)).toEqual(new Uint8Array([1]))
})

it('asks the chain for the restrictions of every pool that jobs may be over', async () => {
  await store.run('truncate contributions, contributors, blobs, meta cascade')
  const [whole, other] = [memoryBlobStore(), memoryBlobStore()]
  const pools = ['a', 'b'].map(addressOfDigit)
  const digests = await Promise.all(
    pools.map(async (pool) => [pool, (await whole.put(new TextEncoder().encode(pool))).digest] as const),
  )
  const shown = new Map(digests)
  const chain = {
    pool: async (pool: Address) => ({ restrictions: [shown.get(pool)] }) as unknown as ChainPool,
  }
  const blobStore = replicatedBlobStore({ stores: [whole, other] })
  const state = { store, blobStore, now: () => 1_900_000_000 }
  const replicas = openReplicas(config, state, { chain, pools }, log, () => true)
  await until('the first is mended', async () => replicas.figures()['replicas_repaired'] === 1)
  await replicas.stop()
  const held = digests.map(([, digest]) => digest).toSorted()
  expect(await other.get(held[0] ?? '')).toEqual(await whole.get(held[0] ?? ''))
})
