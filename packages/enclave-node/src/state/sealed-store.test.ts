import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { memoryStores } from '../testing/memory-store.js'
import { groupStore, postgresPrograms, startPostgres } from '../testing/postgresql-server.js'
import { aesRowCipher } from './aes-row-cipher.js'
import { allRows } from './change-capture.js'
import { type ChainContribution, findContribution, insertContribution } from './contribution-table.js'
import { setMeta } from './meta-table.js'
import { currentVersion, migrate, storedVersion } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import type { RowCipher } from './row-cipher.js'
import { openSealedStore } from './sealed-store.js'
import type { SqlRow, StateStore } from './state-store.js'

const cipherWith =
  (key: Uint8Array) =>
  (store: Uint8Array): RowCipher =>
    aesRowCipher({ key, store, random: platformRandom })
const cipherOf = cipherWith(new Uint8Array(32).fill(5))
const closers: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})
const folders: string[] = []
function folder(): string {
  folders.push(mkdtempSync(join(tmpdir(), 'sealpool-sealed-')))
  return folders.at(-1) as string
}
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true })
})

const memory = memoryStores()

/** The same store again, as after a stop: what was in memory is gone, what lasts is not. */
const reopened = (durable: StateStore, more: { cipherOf?: typeof cipherOf } = {}): Promise<StateStore> =>
  openSealedStore({
    durable: { ...durable, close: async () => undefined },
    openWorking: memory,
    cipherOf,
    random: platformRandom,
    ...more,
  })
const everything = async (store: StateStore): Promise<readonly string[]> =>
  (await store.transaction(allRows)).map(({ table, key: name, row }) => `${table} ${name} ${row}`).sort()

const canary = 'Canary-0123456789-canary'
const contribution: ChainContribution = {
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

/** One row in every table, with the canary in every column that takes text. */
async function fillAll(store: StateStore): Promise<void> {
  await migrate(store)
  await store.transaction(async (tx) => {
    await insertContribution(tx, contribution)
    for (const statement of [
      `update contributions set reason = $1, reason_text = $1, verdict_digest = $1`,
      `insert into meta (key, value) values ($1, $1)`,
      `insert into chain_cursor values ($1, 1, $1, 1)`,
      `insert into chain_blocks values ($1, 1, $1)`,
      `insert into verdicts values (100000000000000001, $1, $1)`,
      `insert into fingerprints values ($1, $1, 100000000000000001)`,
      `insert into verdict_batches values (1, $1, $1, $1, 'signed', $1)`,
      `insert into refinements values (1, $1, $1, $1, $1, $1, 1, $1, 'signed', $1)`,
      `insert into jobs (id, consumer, manifest_digest, locator, pools, chain_state, approvals, state, reason, reason_text,
         manifest, plan, receipt, result_digest, sealed_result, inputs, release, reservation)
       values (1, $1, $1, $1, $1, $1, $1, 'seen', $1, $1, $1, $1, $1, $1, $1::text::bytea, $1, $1, $1)`,
      `insert into job_events values (1, 1, 1, $1)`,
      `insert into receipts values ($1, 1, $1, $1)`,
      `insert into exclusive_statements values ($1, $1, $1, $1)`,
      `insert into merkle_verdicts values (1, $1, $1, 1, $1, $1, 'signed')`,
    ]) {
      await tx.query(statement, [canary])
    }
    await tx.query(`insert into ledger values ($1, 1, json_build_object('job', $1::text)::text, $1)`, [
      canary,
    ])
    await tx.query(`insert into blobs values ($1, 'manifest', 1)`, [canary])
  })
}

/** Every spelling in which a canary could lie about. */
const spellings = [canary, contribution.owner, contribution.owner.slice(2), contribution.id].flatMap(
  (text) => [
    Buffer.from(text),
    Buffer.from(Buffer.from(text).toString('hex')),
    Buffer.from(Buffer.from(text).toString('base64').slice(0, -4)),
    Buffer.from(text, 'utf16le'),
  ],
)
const found = (bytes: Buffer): readonly string[] =>
  spellings.filter((spelling) => bytes.includes(spelling)).map(String)

const postgres = postgresPrograms === undefined ? undefined : await startPostgres(postgresPrograms)
closers.push(async () => postgres?.stop())
if (postgres === undefined) console.log('skipped: PostgreSQL is not installed (apt-get install postgresql)')

describe('what lies on the disk', () => {
  it('of the embedded store has nothing in it that the node has written down', async () => {
    const directory = folder()
    const store = await openSealedStore({
      durable: await openPgliteStore({ directory }),
      openWorking: memory,
      cipherOf,
      random: platformRandom,
    })
    await fillAll(store)
    const before = await everything(store)
    expect(before.join().split(canary).length).toBeGreaterThan(50)
    await store.close()
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    )
    expect(files.length).toBeGreaterThan(100)
    for (const file of files) expect(found(readFileSync(join(file.parentPath, file.name)))).toEqual([])
    // The search does find what is there.
    const open = folder()
    const plain = await openPgliteStore({ directory: open })
    await fillAll(plain)
    await plain.close()
    const clear = readdirSync(open, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    expect(
      clear.flatMap((file) => found(readFileSync(join(file.parentPath, file.name)))).length,
    ).toBeGreaterThan(2)
    const again = await openSealedStore({
      durable: await openPgliteStore({ directory }),
      openWorking: memory,
      cipherOf,
      random: platformRandom,
    })
    expect(await everything(again)).toEqual(before)
    await again.close()
  }, 240_000)

  it.skipIf(postgres === undefined || postgresPrograms === undefined)(
    'of a PostgreSQL server has nothing of it in a dump, and gives all of it back to the node',
    async () => {
      const url = (await postgres?.database('dumped')) ?? ''
      const durable = await groupStore(url)
      const store = await reopened(durable)
      await fillAll(store)
      const before = await everything(store)
      const dump = execFileSync(join(postgresPrograms ?? '', 'pg_dump'), [url], {
        env: { PATH: '/usr/bin:/bin' },
      })
      expect(dump.includes('sealed_rows')).toBe(true)
      expect(found(dump)).toEqual([])
      expect(await everything(await reopened(durable))).toEqual(before)
      await durable.close()
    },
    240_000,
  )

  it('does not tell rows of about the same size apart', async () => {
    const durable = await memory()
    const store = await reopened(durable)
    await migrate(store)
    for (const length of [0, 1, 50, 100]) await setMeta(store, `k${length}`, 'x'.repeat(length))
    const rows = await durable.query(`select distinct length(sealed) as size from sealed_rows`)
    expect(rows).toEqual([{ size: 12 + 256 + 16 }])
    await durable.close()
  })
})

describe('a stored row', () => {
  let durable: StateStore
  let kept: { readonly rows: readonly SqlRow[]; readonly head: readonly SqlRow[] }
  const put = async ({ rows, head }: typeof kept): Promise<void> => {
    await durable.run('delete from sealed_rows; delete from sealed_head')
    for (const row of rows) {
      await durable.query('insert into sealed_rows values ($1, $2, $3)', [
        row['name'] as Uint8Array,
        String(row['version']),
        row['sealed'] as Uint8Array,
      ])
    }
    for (const row of head) {
      await durable.query('insert into sealed_head values (true, $1, $2, $3, $4)', [
        row['store'] as Uint8Array,
        row['key_id'] as Uint8Array,
        String(row['version']),
        row['sealed'] as Uint8Array,
      ])
    }
  }
  const taken = async (): Promise<typeof kept> => ({
    rows: await durable.query('select * from sealed_rows order by name'),
    head: await durable.query('select * from sealed_head'),
  })
  let older: typeof kept
  beforeAll(async () => {
    durable = await memory()
    const store = await reopened(durable)
    await migrate(store)
    for (const name of ['a', 'b', 'c']) await setMeta(store, name, 'before')
    older = await taken()
    await setMeta(store, 'a', 'after')
    kept = await taken()
    await store.close()
  })
  beforeEach(() => put(kept))
  afterAll(() => durable.close())

  it('opens as long as nobody touched it', async () => {
    const store = await reopened(durable)
    expect(await store.query(`select value from meta order by key`)).toEqual([
      { value: 'after' },
      { value: 'before' },
      { value: 'before' },
    ])
    await store.close()
  })

  const first = "(select min(encode(name, 'hex')) from sealed_rows)"
  it.each([
    ['a bit of it is turned', `set_byte(sealed, 20, get_byte(sealed, 20) # 1)`],
    ['a bit of its nonce is turned', `set_byte(sealed, 0, get_byte(sealed, 0) # 1)`],
    [
      'a bit of its tag is turned',
      `set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1)`,
    ],
    ['it is cut', `substring(sealed for 100)`],
    ['it is emptied', `''::bytea`],
    ['it is made longer', `sealed || '\\x00'::bytea`],
  ])('is refused when %s', async (_, change) => {
    await durable.run(`update sealed_rows set sealed = ${change} where encode(name, 'hex') = ${first}`)
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it.each([
    ['is missing', `delete from sealed_rows where encode(name, 'hex') = ${first}`],
    ['all are missing', `delete from sealed_rows`],
    [
      'has another number',
      `update sealed_rows set version = version + 1 where encode(name, 'hex') = ${first}`,
    ],
    ['lies under another name', `update sealed_rows set name = '\\x00' where encode(name, 'hex') = ${first}`],
    ['is there twice', `insert into sealed_rows select '\\x00', version, sealed from sealed_rows limit 1`],
    [
      'is swapped with another',
      `update sealed_rows set sealed = other.sealed from sealed_rows as other
       where sealed_rows.version in (${currentVersion + 2}, ${currentVersion + 3}) and other.version in (${currentVersion + 2}, ${currentVersion + 3}) and other.version <> sealed_rows.version`,
    ],
    ['has no head', `delete from sealed_head`],
    ['has a head with another number', `update sealed_head set version = version + 1`],
    ['has the head of another store', `update sealed_head set store = '\\x00000000000000000000000000000000'`],
    [
      'has a head that is changed',
      `update sealed_head set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)`,
    ],
  ])('is refused when it %s', async (_, change) => {
    await durable.run(change)
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it('is refused when it is older than the rest, and the rest when only the head is older', async () => {
    expect(older.rows.length).toBe(kept.rows.length)
    const mixed = kept.rows.map((row, index) => older.rows[index] ?? row)
    await put({ rows: mixed, head: kept.head })
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
    await put({ rows: kept.rows, head: older.head })
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
    // A whole older copy is genuine: the anchors on the chain are there for that.
    await put(older)
    await (await reopened(durable)).close()
  })

  it('of another course of things, with the same number, is refused', async () => {
    await put(older)
    const store = await reopened(durable)
    await setMeta(store, 'a', 'otherwise')
    const fork = await taken()
    await store.close()
    expect(String(fork.head[0]?.['version'])).toBe(String(kept.head[0]?.['version']))
    await put({ rows: fork.rows, head: kept.head })
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it('of another store with the same key is refused', async () => {
    const other = await memory()
    const store = await reopened(other)
    await migrate(store)
    for (const name of ['a', 'b', 'c', 'a']) await setMeta(store, name, 'other')
    const rows = await other.query('select * from sealed_rows order by name')
    await put({ rows, head: kept.head })
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
    await other.close()
  })

  it('asks for the key that sealed it', async () => {
    await expect(
      reopened(durable, { cipherOf: cipherWith(new Uint8Array(32).fill(6)) }),
    ).rejects.toMatchObject({
      code: 'STATE_OF_ANOTHER_NODE',
    })
  })

  it.each([
    ['changed', `update sealed_rows set version = version + 1`],
    ['taken away', `delete from sealed_rows`],
    ['overtaken by another writer', `update sealed_head set version = version + 1`],
  ])(
    'that is %s while the node runs is noticed at the next write to it, which is not kept',
    async (_, change) => {
      const store = await reopened(durable)
      await durable.run(change)
      await expect(setMeta(store, 'a', 'later')).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
      expect(await store.query(`select value from meta where key = 'a'`)).toEqual([{ value: 'after' }])
      await store.close()
    },
  )

  it('that somebody puts where a new one goes is noticed', async () => {
    const store = await reopened(durable)
    const beforeIt = await taken()
    await setMeta(store, 'd', 'mine')
    const after = await taken()
    const added = after.rows.filter(
      (row) => !beforeIt.rows.some((one) => String(one['name']) === String(row['name'])),
    )
    await put({ rows: [...kept.rows, ...added], head: kept.head })
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
    await put(kept)
    const again = await reopened(durable)
    await put({ rows: [...kept.rows, ...added], head: kept.head })
    await expect(setMeta(again, 'd', 'mine')).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
    await again.close()
    await store.close()
  })
})

describe('the sealed store', () => {
  it('refuses a store that an earlier release wrote in the clear', async () => {
    const durable = await memory()
    await migrate(durable)
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_NOT_SEALED' })
    await durable.close()
  })

  it('keeps nothing in memory that could not be written, and goes on afterwards', async () => {
    const durable = await memory()
    let full = false
    const store = await reopened({
      ...durable,
      transaction: (work) =>
        durable.transaction(async (tx) => {
          const result = await work(tx)
          if (full) throw new Error('No space left on device')
          return result
        }),
    })
    await migrate(store)
    await setMeta(store, 'a', '1')
    full = true
    await expect(setMeta(store, 'a', '2')).rejects.toThrow('No space')
    expect(await store.query('select value from meta')).toEqual([{ value: '1' }])
    full = false
    await setMeta(store, 'b', '3')
    const before = await everything(store)
    expect(await everything(await reopened(durable))).toEqual(before)
    await durable.close()
  })

  it('ends when the memory cannot follow what is written', async () => {
    const durable = await memory()
    const working = await memory()
    let broken = false
    const store = await openSealedStore({
      durable: { ...durable, close: async () => undefined },
      openWorking: async () => ({
        ...working,
        transaction: (work) =>
          working.transaction(async (tx) => {
            const result = await work(tx)
            if (broken) throw new Error('out of memory')
            return result
          }),
      }),
      cipherOf,
      random: platformRandom,
    })
    await migrate(store)
    broken = true
    await expect(setMeta(store, 'a', '1')).rejects.toThrow('out of memory')
    broken = false
    await expect(store.query('select value from meta')).rejects.toMatchObject({ code: 'STATE_LOST' })
    await expect(setMeta(store, 'b', '1')).rejects.toMatchObject({ code: 'STATE_LOST' })
    await store.close()
    const again = await reopened(durable)
    expect(await again.query('select key from meta')).toEqual([{ key: 'a' }])
    await durable.close()
  })

  it('follows the tables through migrations, also from an older shape', async () => {
    const durable = await memory()
    const store = await reopened(durable)
    await migrate(store, 1)
    await setMeta(store, 'a', '1')
    const old = await reopened(durable)
    expect(await storedVersion(old)).toBe(1)
    await migrate(old)
    await insertContribution(old, contribution)
    const rows = await everything(old)
    const now = await reopened(durable)
    expect(await storedVersion(now)).toBe(currentVersion)
    expect(await everything(now)).toEqual(rows)
    expect(await findContribution(now, contribution.id)).toMatchObject({
      locator: canary,
      blockNumber: contribution.blockNumber,
    })
    await migrate(now, 0)
    const empty = await reopened(durable)
    expect(await everything(empty)).toEqual([])
    await durable.query('select 1')
    await durable.close()
  })

  it('refuses what a later release has written', async () => {
    const durable = await memory()
    const store = await reopened(durable)
    await migrate(store)
    await store.query('insert into schema_migrations values ($1, $2)', [currentVersion + 1, 'later'])
    await expect(reopened(durable)).rejects.toMatchObject({ code: 'STATE_TOO_NEW' })
    await durable.close()
  })

  it('refuses a table whose rows could not be told apart', async () => {
    const durable = await memory()
    const store = await reopened(durable)
    await expect(store.run('create table keyless (x integer)')).rejects.toThrow('keyless has no primary key')
    await durable.close()
  })

  it('gives back after a stop what a plain store would have, whatever was done', async () => {
    const durable = await memory()
    const plain = await memory()
    let store = await reopened(durable)
    await migrate(store)
    await migrate(plain)
    const name = fc.constantFrom('a', 'b', 'c', 'd', '"', ',', '\n', '\\', 'é')
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set'), a: name, b: fc.string({ maxLength: 700 }) }),
      fc.record({
        kind: fc.constantFrom('delete', 'rename', 'truncate', 'twice', 'undo'),
        a: name,
        b: name,
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        store = await reopened(durable)
        for (const { kind, a, b } of steps) {
          for (const one of [store, plain]) {
            await one
              .transaction(async (tx) => {
                if (kind === 'set' || kind === 'undo') await setMeta(tx, a, b.replaceAll('\0', ''))
                if (kind === 'undo') throw new Error('undone')
                if (kind === 'delete' || kind === 'rename')
                  await tx.query('delete from meta where key = $1', [b])
                if (kind === 'rename') await tx.query('update meta set key = $2 where key = $1', [a, b])
                if (kind === 'truncate') await tx.query('truncate meta')
                if (kind === 'truncate' || kind === 'twice') await setMeta(tx, a, b)
                if (kind === 'twice') await setMeta(tx, a, `${b}${b}`)
              })
              .catch(() => undefined)
          }
        }
        expect(await everything(store)).toEqual(await everything(plain))
      }),
      { numRuns: 10 },
    )
    expect(await everything(await reopened(durable))).toEqual(await everything(plain))
    await durable.close()
    await plain.close()
  }, 240_000)
})
