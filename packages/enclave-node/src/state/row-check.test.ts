import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { NodeError } from '../errors.js'
import { cipherOf, memory, reopened } from '../testing/sealed-stores.js'
import type { KnownRows } from './known-rows.js'
import { deleteMeta, setMeta } from './meta-table.js'
import { migrate } from './migration.js'
import { startRowCheck } from './row-check.js'
import type { RowCipher } from './row-cipher.js'
import { readAll } from './sealed-contents.js'
import { readHead } from './sealed-rows.js'
import type { StateStore } from './state-store.js'

let durable: StateStore
let store: StateStore
let cipher: RowCipher
let version: number
/** What the node knew when the look began. */
let known: KnownRows

const rowOf = (key: string) => {
  const name = cipher.name('meta', JSON.stringify([key]))
  return Buffer.from(name).toString('hex')
}
/** Changes one row behind the node's back. */
const spoil = (text: string, key = 'a') => durable.query(text, [rowOf(key)])
const looked = async (
  options: { pause?: () => Promise<void>; of?: StateStore } = {},
): Promise<readonly string[]> => {
  const errors: NodeError[] = []
  await startRowCheck({
    durable: options.of ?? durable,
    cipher,
    known,
    version,
    between: (work) => work(),
    pause: options.pause ?? (async () => undefined),
    wanted: () => true,
    onError: (error) => errors.push(error),
  }).done
  return errors.map(({ code }) => code)
}

describe('a look at all stored rows while the node works', () => {
  beforeAll(async () => {
    durable = await memory()
    store = await reopened(durable)
    await migrate(store)
    await setMeta(store, 'gone', 'x')
    await durable.run('create table gone_rows as select * from sealed_rows')
    await deleteMeta(store, 'gone')
    await store.transaction(async (tx) => {
      for (let count = 0; count < 300; count += 1) await setMeta(tx, `k${count}`, `${count}`)
    })
    await setMeta(store, 'a', 'old')
    await durable.run('create table old_rows as select * from sealed_rows')
    await setMeta(store, 'a', 'one')
    await durable.run('create table whole_rows as select * from sealed_rows')
    return async () => {
      await store.close()
      await durable.close()
    }
  })
  beforeEach(async () => {
    await durable.run('delete from sealed_rows; insert into sealed_rows select * from whole_rows')
    const head = await readHead(durable)
    if (head === undefined) throw new Error('no head')
    cipher = cipherOf(head.store)
    version = head.version
    ;({ known } = await readAll(durable, cipher))
  })

  it('finds nothing where all are as they were written', async () => {
    expect(await looked()).toEqual([])
  })

  it.each<[string, () => Promise<unknown>]>([
    [
      'changed',
      () =>
        spoil(
          `update sealed_rows set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where name = decode($1, 'hex')`,
        ),
    ],
    [
      'given another number',
      () => spoil(`update sealed_rows set version = version - 1 where name = decode($1, 'hex')`),
    ],
    [
      'given a number that is to come',
      () => spoil(`update sealed_rows set version = version + 99 where name = decode($1, 'hex')`),
    ],
    ['taken away', () => spoil(`delete from sealed_rows where name = decode($1, 'hex')`)],
    [
      'made an old one',
      () =>
        spoil(
          `with old as (select * from old_rows where name = decode($1, 'hex'))
           update sealed_rows set version = old.version, sealed = old.sealed from old where sealed_rows.name = old.name`,
        ),
    ],
    [
      'brought back',
      () => spoil(`insert into sealed_rows select * from gone_rows where name = decode($1, 'hex')`, 'gone'),
    ],
  ])('finds one that was %s', async (_, change) => {
    await change()
    expect(await looked()).toEqual(['STATE_TAMPERED'])
  })

  it('finds an old one beside the new one', async () => {
    const twice: StateStore = {
      ...durable,
      query: (text, values) => durable.query(text.replaceAll('sealed_rows', 'both_rows'), values),
    }
    await durable.run(`create table both_rows as select * from sealed_rows;
      insert into both_rows select * from old_rows where version = (select max(version) from old_rows)`)
    expect(await looked({ of: twice })).toEqual(['STATE_TAMPERED'])
  })

  it('takes what the node itself does meanwhile for no fault', async () => {
    const current = await readAll(durable, cipher)
    known = current.known
    let pieces = 0
    const held = (key: string) => known.get('meta')?.get(JSON.stringify([key]))
    const pause = async () => {
      pieces += 1
      if (pieces !== 2) return
      // As a commit does it: some rows were looked at already, some are to come.
      for (const key of ['k0', 'k299', 'a']) {
        const row = held(key)
        const name = cipher.name('meta', JSON.stringify([key]))
        const place = { name, version: version + 1 }
        const sealed = cipher.seal('meta\n["x"]\n{}', place)
        await durable.query(`update sealed_rows set version = $2, sealed = $3 where name = $1`, [
          name,
          version + 1,
          sealed,
        ])
        if (row === undefined) throw new Error(key)
        known.get('meta')?.set(JSON.stringify([key]), {
          version: version + 1,
          weight: cipher.weight(sealed, place),
        })
      }
      for (const key of ['k1', 'k298']) {
        await spoil(`delete from sealed_rows where name = decode($1, 'hex')`, key)
        known.get('meta')?.delete(JSON.stringify([key]))
      }
    }
    expect(await looked({ pause })).toEqual([])
    expect(pieces).toBe(2)
  })

  it('says so when a row cannot be read, and ends when it is told to', async () => {
    const away: StateStore = { ...durable, query: () => Promise.reject(new Error('missing chunk')) }
    expect(await looked({ of: away })).toEqual(['STATE_UNREADABLE'])
    let pieces = 0
    const check = startRowCheck({
      durable: away,
      cipher,
      known,
      version,
      between: (work) => work(),
      pause: async () => {
        pieces += 1
      },
      wanted: () => true,
      onError: (error) => {
        throw error
      },
    })
    check.end()
    await check.done
    expect(pieces).toBe(1)
  })
})
