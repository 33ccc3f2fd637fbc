import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cipherWith, memory, reopened } from '../testing/sealed-stores.js'
import { setMeta } from './meta-table.js'
import { currentVersion, migrate } from './migration.js'
import type { SqlRow, StateStore } from './state-store.js'

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
