/**
 * What every state store must do, and the adapters that do it.
 * @module
 */
import { platformRandom } from '@sealpool/crypto'
import { PrivacyError } from '@sealpool/privacy'
import { aesRowCipher } from '../state/aes-row-cipher.js'
import { currentVersion, migrate, storedVersion } from '../state/migration.js'
import { storedLedger, verifyLedgers } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { openSealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from './memory-store.js'
import { type Adapter, type Case, require, same } from './port-case.js'
import { groupStore, postgresPrograms, startPostgres } from './postgresql-server.js'

/** What every state store must do. */
export const storeCases: readonly Case<StateStore>[] = [
  {
    title: 'migrates up, down to nothing, and up again',
    async check(store) {
      await migrate(store)
      await migrate(store, 0)
      require((await storedVersion(store)) === 0, 'not down')
      await migrate(store)
      require((await storedVersion(store)) === currentVersion, 'not up')
    },
  },
  {
    title: 'keeps all of a transaction or nothing',
    async check(store) {
      await migrate(store)
      await store
        .transaction(async (tx) => {
          await tx.query(`insert into meta (key, value) values ('a', '1')`)
          throw new Error('no')
        })
        .catch(() => undefined)
      require((await store.query('select 1 from meta')).length === 0, 'half a transaction')
      await store.transaction((tx) => tx.query(`insert into meta (key, value) values ('a', '1')`))
      require((await store.query('select 1 from meta')).length === 1, 'nothing was kept')
    },
  },
  {
    title: 'gives bytes, numbers, truth and null back as they went in',
    async check(store) {
      const bytes = new Uint8Array([0, 255, 10, 92])
      const [row] = await store.query(
        'select $1::bytea as bytes, $2::bigint::text as number, $3::boolean as truth, $4::text as nothing',
        [bytes, '9007199254740993', true, null],
      )
      require(row?.['bytes'] instanceof Uint8Array && same(row['bytes'], bytes), 'bytes')
      require(row?.['number'] === '9007199254740993', 'number')
      require(row?.['truth'] === true && row['nothing'] === null, 'truth or null')
    },
  },
  {
    title: 'a budget is never passed, however many charges come at once',
    async check(store) {
      await migrate(store)
      const ledger = storedLedger(store)
      await ledger.open('pool', { accounting: 'basic', epsilon: 6, delta: 1e-6 })
      const charges = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          ledger.charge({
            pool: 'pool',
            job: String(index),
            leaves: ['t'],
            charge: { epsilon: 1, delta: 0 },
          }),
        ),
      )
      require(charges.filter(({ status }) => status === 'fulfilled').length === 6, 'not six charges')
      for (const charge of charges) {
        if (charge.status === 'fulfilled') continue
        require(charge.reason instanceof PrivacyError &&
          charge.reason.code === 'BUDGET_EXHAUSTED', 'another refusal')
      }
      await verifyLedgers(store)
    },
  },
]

/** @returns the stores: embedded, of a group, and each of them sealed */
export function storeAdapters(): readonly Adapter<StateStore>[] {
  const programs = postgresPrograms
  const embedded = () => openPgliteStore({ directory: 'memory' })
  const adapters: readonly Adapter<StateStore>[] = [
    {
      name: 'PGlite',
      async open() {
        const port = await embedded()
        return { port, close: () => port.close() }
      },
    },
    programs === undefined
      ? {
          name: 'PostgreSQL',
          open: null,
          missing: 'PostgreSQL is not installed (apt-get install postgresql)',
        }
      : {
          name: 'PostgreSQL',
          async open() {
            const server = await startPostgres(programs)
            const port = await groupStore(await server.database('suite'))
            return {
              port,
              async close() {
                await port.close()
                await server.stop()
              },
            }
          },
        },
  ]
  const working = memoryStores()
  // What the node works on: each of them with its rows sealed.
  const sealed = adapters.map(
    ({ name, open, ...rest }): Adapter<StateStore> => ({
      ...rest,
      name: `${name}, sealed`,
      open:
        open &&
        (async () => {
          const { port: durable, close } = await open()
          const port = await openSealedStore({
            durable: { ...durable, close: async () => undefined },
            openWorking: working,
            cipherOf: (store) =>
              aesRowCipher({ key: new Uint8Array(32).fill(9), store, random: platformRandom }),
            random: platformRandom,
          })
          return {
            port,
            async close() {
              await port.close()
              await close()
            },
          }
        }),
    }),
  )
  return [...adapters, ...sealed]
}
