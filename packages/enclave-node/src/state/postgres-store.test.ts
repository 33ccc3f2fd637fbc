import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  groupStore,
  type PostgresServer,
  postgresPrograms,
  startPostgres,
} from '../testing/postgresql-server.js'
import { openPostgresStore } from './postgres-store.js'

describe.skipIf(postgresPrograms === undefined)('a node group on one PostgreSQL server', () => {
  let server: PostgresServer
  let url: string
  beforeAll(async () => {
    server = await startPostgres(postgresPrograms ?? '')
    url = await server.database('group')
  }, 60_000)
  afterAll(() => server?.stop())

  it('has one leader: another node stands by until the first one ends', async () => {
    const first = await groupStore(url)
    let standsBy = false
    let leads = false
    const second = groupStore(url, {
      onStandby: () => {
        standsBy = true
      },
    }).then((store) => {
      leads = true
      return store
    })
    const other = await groupStore(url, { group: 'other' })
    await expect.poll(() => standsBy, { timeout: 30_000 }).toBe(true)
    expect(leads).toBe(false)
    await other.close()
    await first.close()
    await (await second).close()
    expect(leads).toBe(true)
  })

  it('takes the lead and the pen from a leader in one moment', async () => {
    const first = await groupStore(url)
    await first.run('create table written (n integer primary key)')
    const second = groupStore(url)
    // In the middle of a transaction of the first, which knows nothing of it.
    const cut = first.transaction(async (tx) => {
      await tx.query('insert into written values (1)')
      const helper = await groupStore(url, { group: 'helper' })
      await helper.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and pid in
           (select pid from pg_stat_activity where state = 'idle in transaction')`,
      )
      await helper.close()
      await tx.query('insert into written values (2)')
    })
    await expect(cut).rejects.toThrow()
    expect(await first.lost).toMatchObject({ code: 'STATE_LOST' })
    const heir = await second
    expect(await heir.query('select n from written')).toEqual([])
    await expect(first.query('insert into written values (3)')).rejects.toThrow()
    await expect(first.transaction((tx) => tx.query('insert into written values (4)'))).rejects.toThrow()
    await heir.query('insert into written values (5)')
    expect(await heir.query('select n from written')).toEqual([{ n: 5 }])
    await heir.close()
  })

  it('runs transactions one after the other and keeps nothing of one that failed', async () => {
    const store = await groupStore(url)
    await store.run('create table counted (n integer)')
    const add = (fail: boolean) =>
      store.transaction(async (tx) => {
        const [row] = await tx.query('select count(*) as n from counted')
        await tx.query('insert into counted values ($1)', [Number(row?.['n'])])
        if (fail) throw new Error('no')
      })
    const all = await Promise.allSettled([add(false), add(true), add(false), add(false)])
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(await store.query('select n from counted order by n')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
    await store.close()
  })

  it('says so when there is no server, without its address', async () => {
    const connect = () => Promise.reject(new Error('postgres://user:secret@host refused'))
    const opening = openPostgresStore({
      connect,
      group: 'x',
      onStandby: () => undefined,
      pause: async () => undefined,
    })
    await expect(opening).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      message: expect.not.stringContaining('secret'),
    })
  })
})
