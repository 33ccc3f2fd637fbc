/**
 * What every adapter of a port must do: one list of cases for each port, run on each of its adapters, by the tests of this
 * package and by `npm run conformance -- node`.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseQuote, parseSnpReport } from '@sealpool/attest'
import { createAmdSimulator } from '@sealpool/attest/simulator'
import { platformRandom } from '@sealpool/crypto'
import { PrivacyError } from '@sealpool/privacy'
import { tsmQuoteProvider } from '../evidence/configfs-tsm.js'
import { dstackAgent, dstackQuoteProvider } from '../evidence/dstack-agent.js'
import { type QuoteProvider, teeOf } from '../evidence/quote-provider.js'
import { simulatorQuoteProvider } from '../evidence/simulator-quote-provider.js'
import { developmentKeyRelease } from '../key/development-key-release.js'
import { dstackKeyRelease } from '../key/dstack-key-release.js'
import { brokerKeyRelease, rootDigest } from '../key/key-broker.js'
import type { KeyRelease } from '../key/key-release.js'
import { peersKeyRelease } from '../key/peers-key-release.js'
import { sealedKeyRelease } from '../key/sealed-key-release.js'
import { simulatedSealer } from '../key/simulated-sealer.js'
import { aesRowCipher } from '../state/aes-row-cipher.js'
import { currentVersion, migrate, storedVersion } from '../state/migration.js'
import { storedLedger, verifyLedgers } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { openSealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { startFakeCommittee } from './fake-committee.js'
import { startFakeBroker } from './fake-key-broker.js'
import { fakeSimulator, fakeTsmEntries, startFakeDstack } from './fake-machine.js'
import { memoryStores } from './memory-store.js'
import { groupStore, postgresPrograms, startPostgres } from './postgresql-server.js'

/** One adapter, opened for one case. */
interface Opened<Port> {
  readonly port: Port
  readonly close: () => Promise<void>
}

/** One adapter of a port; `open` is null where this machine lacks what it needs, and `missing` says what. */
interface Adapter<Port> {
  readonly name: string
  readonly open: (() => Promise<Opened<Port>>) | null
  readonly missing?: string
}

interface Case<Port> {
  readonly title: string
  readonly check: (port: Port) => Promise<void>
}

/** A case on an adapter. `run` throws when the adapter fails it; null: it could not be run here. */
export interface PortCase {
  readonly port: string
  readonly adapter: string
  readonly title: string
  readonly run: (() => Promise<void>) | null
  readonly missing: string | undefined
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])

const reportData = (fill: number): Uint8Array => new Uint8Array(64).map((_, index) => (fill + index) & 0xff)

const dataOf = (quote: Uint8Array): Uint8Array =>
  teeOf(quote) === 'tdx' ? parseQuote(quote).report.reportData : parseSnpReport(quote).reportData

const quoteCases: readonly Case<QuoteProvider>[] = [
  {
    title: 'a quote is over exactly the data that was asked',
    async check(provider) {
      for (const fill of [0, 1, 255]) {
        require(same(dataOf(await provider.quote(reportData(fill))), reportData(fill)), 'other report data')
      }
    },
  },
  {
    title: 'quotes that are asked for at the same time are not mixed up',
    async check(provider) {
      const quotes = await Promise.all([1, 2, 3, 4].map((fill) => provider.quote(reportData(fill))))
      for (const [index, quote] of quotes.entries()) {
        require(same(dataOf(quote), reportData(index + 1)), 'mixed up')
      }
    },
  },
  {
    title: 'collateral comes for its quote',
    async check(provider) {
      const collateral = await provider.collateral(await provider.quote(reportData(1)))
      require(typeof collateral === 'object' && collateral !== null, 'no collateral')
    },
  },
]

const keyCases: readonly Case<KeyRelease>[] = [
  {
    title: 'the secret has 32 bytes and is the same at every start',
    async check(release) {
      const first = await release.release()
      require(first.length === 32, 'another length')
      require(same(first, await release.release()), 'another secret')
      require(first.some((byte) => byte !== 0), 'no secret')
    },
  },
  {
    title: 'what the caller does with its copy changes nothing',
    async check(release) {
      const first = await release.release()
      const kept = first.slice()
      first.fill(0)
      require(same(kept, await release.release()), 'the secret was changed')
    },
  },
]

const storeCases: readonly Case<StateStore>[] = [
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

function quoteAdapters(): readonly Adapter<QuoteProvider>[] {
  const simulator = fakeSimulator()
  const collateral = async () => simulator.collateral(new Date())
  const nothing = async () => undefined
  return [
    {
      name: 'simulator',
      open: async () => ({ port: simulatorQuoteProvider(simulator, () => new Date()), close: nothing }),
    },
    {
      name: 'configfs-tsm (faked file system)',
      open: async () => ({
        port: tsmQuoteProvider(
          fakeTsmEntries({ simulator, shortReads: 100, busy: 2, disturbed: 1 }),
          collateral,
        ),
        close: nothing,
      }),
    },
    {
      name: 'configfs-tsm of SEV-SNP (faked file system)',
      open: async () => {
        const amd = createAmdSimulator({ random: platformRandom, at: new Date() })
        return {
          port: tsmQuoteProvider(
            fakeTsmEntries({ simulator, amd, provider: 'sev_guest', shortReads: 300, busy: 1 }),
            async () => ({ certificates: '', crl: '0x' }),
          ),
          close: nothing,
        }
      },
    },
    {
      name: 'dstack (faked guest agent)',
      async open() {
        const { socketPath, stop } = await startFakeDstack({ simulator, asked: [] })
        return {
          port: dstackQuoteProvider(dstackAgent({ socketPath, timeoutMs: 10_000 }), collateral),
          close: stop,
        }
      },
    },
  ]
}

function keyAdapters(): readonly Adapter<KeyRelease>[] {
  return [
    {
      name: 'development',
      async open() {
        const directory = mkdtempSync(join(tmpdir(), 'sealpool-key-'))
        return {
          port: developmentKeyRelease({ directory }),
          close: async () => rmSync(directory, { recursive: true }),
        }
      },
    },
    {
      name: 'dstack (faked guest agent)',
      async open() {
        const { socketPath, stop } = await startFakeDstack({ simulator: fakeSimulator(), asked: [] })
        return { port: dstackKeyRelease(dstackAgent({ socketPath, timeoutMs: 10_000 })), close: stop }
      },
    },
    {
      name: 'key broker (faked, by the protocol of Trustee)',
      async open() {
        const simulator = fakeSimulator()
        const root = platformRandom(32)
        const { url, stop } = await startFakeBroker({ simulator, resource: () => root })
        const quotes = { quote: async (reportData: Uint8Array) => simulator.quote({ reportData }) }
        const options = { url, quotes, timeoutMs: 10_000, resource: 'default/sealpool/root' }
        return { port: brokerKeyRelease({ ...options, root: rootDigest(root) }), close: stop }
      },
    },
    {
      name: '2 of 3 peers (faked)',
      async open() {
        const simulator = fakeSimulator()
        const quotes = { quote: async (reportData: Uint8Array) => simulator.quote({ reportData }) }
        const committee = await startFakeCommittee({
          simulator,
          root: platformRandom(32),
          threshold: 2,
          members: 3,
        })
        return {
          port: peersKeyRelease({ ...committee, quotes, timeoutMs: 10_000 }),
          close: committee.stop,
        }
      },
    },
    {
      name: 'sealed to the measurement (simulated)',
      async open() {
        const directory = mkdtempSync(join(tmpdir(), 'sealpool-key-'))
        const sealer = simulatedSealer({ directory, measurement: '0x01', random: platformRandom })
        return {
          port: sealedKeyRelease({ directory, sealer, random: platformRandom }),
          close: async () => rmSync(directory, { recursive: true }),
        }
      },
    },
  ]
}

function storeAdapters(): readonly Adapter<StateStore>[] {
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

function casesOf<Port>(
  port: string,
  adapters: readonly Adapter<Port>[],
  cases: readonly Case<Port>[],
): readonly PortCase[] {
  return adapters.flatMap(({ name, open, missing }) =>
    cases.map(({ title, check }) => ({
      port,
      adapter: name,
      title,
      missing,
      run:
        open === null
          ? null
          : async () => {
              const opened = await open()
              try {
                await check(opened.port)
              } finally {
                await opened.close()
              }
            },
    })),
  )
}

/** @returns every case on every adapter of every port of the node */
export function portCases(): readonly PortCase[] {
  return [
    ...casesOf('QuoteProvider', quoteAdapters(), quoteCases),
    ...casesOf('KeyRelease', keyAdapters(), keyCases),
    ...casesOf('StateStore', storeAdapters(), storeCases),
  ]
}
