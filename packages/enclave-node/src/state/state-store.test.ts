import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groupStore, postgresPrograms, startPostgres } from '../testing/postgresql-server.js'
import { bytesOf } from './column.js'
import { storeContent } from './content-table.js'
import {
  type ChainContribution,
  countContributions,
  findContribution,
  insertContribution,
  markBatchRecorded,
  markJudged,
  markRefined,
  nextContributions,
  putOffContribution,
  refinedInputs,
} from './contribution-table.js'
import { lockDirectory } from './directory-lock.js'
import { dueJobs } from './job-queue.js'
import {
  delayJob,
  findJob,
  insertJob,
  moveJob,
  noteApproval,
  noteChainState,
  putOffJob,
  storeOutcome,
  tryNow,
} from './job-table.js'
import { getCursor, getMeta, setCursor, setMeta } from './meta-table.js'
import { currentVersion, migrate, migrations, storedVersion } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import { appendToLog, logFrom } from './receipt-log-table.js'
import type { StateStore } from './state-store.js'
import { keepVerdictLists, readVerdictList, readVerdictLists } from './verdict-list-table.js'

const folders: string[] = []
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealpool-state-'))
  folders.push(path)
  return path
}
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))))

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`
const contribution = (id: string, owner = 'a'): ChainContribution => ({
  id,
  pool: `0x${'b'.repeat(40)}`,
  owner: `0x${owner.repeat(40)}`,
  blobDigest: digest('1'),
  commitment: digest('2'),
  schemaId: `0x${'3'.repeat(64)}`,
  consentDigest: `0x${'4'.repeat(64)}`,
  epoch: 1,
  locator: digest('1'),
  blockNumber: 7n,
  blockHash: `0x${'5'.repeat(64)}`,
  logIndex: 0,
  merkle: null,
})

const postgres = postgresPrograms === undefined ? undefined : await startPostgres(postgresPrograms)
afterAll(() => postgres?.stop())
if (postgres === undefined) console.log('skipped: PostgreSQL is not installed (apt-get install postgresql)')

/** Every adapter of the port, on nothing yet. */
const adapters: readonly (readonly [string, () => Promise<StateStore>])[] = [
  ['embedded', () => openPgliteStore({ directory: 'memory' })],
  ...(postgres === undefined
    ? []
    : [['PostgreSQL', async () => groupStore(await postgres.database('suite'))] as const]),
]

describe.each(adapters)('the %s state store', (_, open) => {
  let store: StateStore
  beforeAll(async () => {
    store = await open()
  })
  afterAll(() => store.close())

  it('migrates up, down to nothing, and up again', async () => {
    expect(await migrate(store)).toEqual({ before: 0, after: currentVersion })
    expect(await migrate(store)).toEqual({ before: currentVersion, after: currentVersion })
    expect(await migrate(store, 0)).toEqual({ before: currentVersion, after: 0 })
    const left = await store.query(
      `select table_name from information_schema.tables where table_schema = 'public'`,
    )
    expect(left).toEqual([{ table_name: 'schema_migrations' }])
    await migrate(store)
    expect(await storedVersion(store)).toBe(currentVersion)
  })

  it('goes back from a log with lists of deletions to one of receipts, in their order, and up again', async () => {
    await migrate(store, 9)
    await store.query(
      `insert into receipt_log (position, receipt, job, issued) values (0, 'first', 7, 'x'), (1, 'second', 6, 'x')`,
    )
    await migrate(store)
    const issued = '2026-11-22T00:00:00.000Z'
    await appendToLog(store, { kind: 'deletion', digest: digest('1'), number: '1', issued })
    await appendToLog(store, { kind: 'receipt', digest: digest('2'), number: '6', issued })
    expect((await logFrom(store, 0)).map(({ kind, number }) => `${kind} ${number}`)).toEqual([
      'receipt 7',
      'receipt 6',
      'deletion 1',
      'receipt 6',
    ])
    await migrate(store, 9)
    expect(await store.query('select position::integer, receipt from receipt_log order by position')).toEqual(
      [
        { position: 0, receipt: 'first' },
        { position: 1, receipt: 'second' },
        { position: 2, receipt: digest('2') },
      ],
    )
    await migrate(store)
    expect((await logFrom(store, 2)).map(({ kind, number }) => `${kind} ${number}`)).toEqual(['receipt 6'])
  })

  it('goes back from prints with courses to prints without, and up again', async () => {
    await migrate(store)
    await insertContribution(store, contribution('1'))
    await insertContribution(store, contribution('2'))
    const [near, course] = [new Uint8Array(68).fill(1), new Uint8Array(68).fill(2)]
    const print = (sketch: Uint8Array) => ({
      prints: { sketch, rows: new Uint8Array(8) },
      account: null,
    })
    const { pool } = contribution('1')
    await storeContent(store, pool, '1', print(near))
    await storeContent(store, pool, '2', print(new Uint8Array([...near, ...course])))
    const kept = async () =>
      (await store.query('select sketch from content_prints order by contribution')).map((row) =>
        bytesOf(row, 'sketch'),
      )
    expect((await kept()).map(({ length }) => length)).toEqual([68, 136])
    await migrate(store, 11)
    expect(await kept()).toEqual([near, near])
    await migrate(store)
    expect(await kept()).toEqual([near, near])
    await migrate(store, 0)
    await migrate(store)
  })

  it('takes fingerprints of what was taken back out of the farming rule’s rows, and puts them back', async () => {
    await migrate(store, 14)
    await insertContribution(store, contribution('1'))
    await insertContribution(store, contribution('2'))
    const { pool } = contribution('1')
    await store.query(
      `insert into farming_values (contribution, pool, place, identity, period, cluster, earned, taken_back, taken_period)
       values (1, $1, 1, 1, 1, 1, 5, 'print', 7), (2, $1, 2, 1, 1, 1, 5, null, null)`,
      [pool],
    )
    const kept = () =>
      store.query('select contribution::integer, rewarded, print, unpaid from earlier_rewards')
    await migrate(store)
    expect(await kept()).toEqual([{ contribution: 1, rewarded: 0, print: 'print', unpaid: false }])
    await migrate(store, 14)
    expect(await store.query('select taken_back from farming_values order by contribution')).toEqual([
      { taken_back: 'print' },
      { taken_back: null },
    ])
    await migrate(store)
    expect(await kept()).toHaveLength(1)
    await migrate(store, 0)
    await migrate(store)
  })

  it('takes lists of inputs out of the rows of jobs, each once, and puts them back', async () => {
    const part = Array.from({ length: 3 }, (_, index) => `${digest(String(index)).slice(0, -2)}00`)
    const verdicts = [...part, digest('a'), digest('b')] as Digest[]
    const [first, second] = [contribution('1').pool, contribution('1', 'd').owner]
    const inputs = { [first]: verdicts, [second]: [] }
    const input = { pool: first, root: digest('3'), count: 5, contributors: 2, refinements: ['1'] }
    const reservation = {
      charge: 'c',
      planDigest: digest('4'),
      inputs: [
        { ...input, verdicts },
        { ...input, pool: second, verdicts: verdicts.slice(0, 4) },
      ],
      versions: [],
    }
    const kept = async () =>
      (await store.query('select id::integer, inputs, reservation from jobs order by jobs.id')).map(
        (row) => ({
          id: row['id'],
          ...Object.fromEntries(
            ['inputs', 'reservation'].map((name) => [name, JSON.parse(String(row[name] ?? 'null'))]),
          ),
        }),
      )
    await migrate(store, 10)
    for (const [id, ...values] of [
      ['1', inputs, reservation],
      ['2', null, reservation],
      ['3', inputs, null],
      ['4', null, null],
      ['5', {}, {}],
    ] as const)
      await store.query(
        `insert into jobs (id, consumer, manifest_digest, locator, pools, chain_state, approvals, state, inputs, reservation)
         values ($1, '', '', '', '[]', '', '[]', 'closed', $2, $3)`,
        [id, ...values.map((value) => (value === null ? null : JSON.stringify(value)))],
      )
    const before = await kept()
    await migrate(store)
    const [one] = await kept()
    expect(JSON.stringify(one)).not.toContain(digest('a'))
    const job = await findJob(store, '1')
    expect(await readVerdictLists(store, job?.inputs ?? {})).toEqual(inputs)
    const lists = job?.reservation?.inputs.map(({ verdictList }) => verdictList) ?? []
    expect(await Promise.all(lists.map((list) => readVerdictList(store, list)))).toEqual([
      verdicts,
      verdicts.slice(0, 4),
    ])
    // The same names as this release gives: what is kept again is not written again.
    expect(await keepVerdictLists(store, inputs)).toEqual(job?.inputs)
    await setMeta(
      store,
      'taken-shares 7',
      JSON.stringify([
        { statement: {}, lists: job?.inputs },
        { statement: {}, verdicts: inputs },
      ]),
    )
    expect(await store.query('select count(*)::integer as lists from verdict_lists')).toEqual([{ lists: 3 }])
    await migrate(store, 10)
    expect(await kept()).toEqual(before)
    const taken = { statement: {}, verdicts: inputs }
    expect(JSON.parse((await getMeta(store, 'taken-shares 7')) ?? '')).toEqual([taken, taken])
    await migrate(store)
    expect((await findJob(store, '1'))?.inputs).toEqual(job?.inputs)
    await store.run(
      `delete from jobs; delete from verdict_lists; delete from verdict_parts; delete from meta where key like 'taken%'`,
    )
  })

  it('keeps nothing of a step that fails, and refuses a store of a later release', async () => {
    const broken = {
      version: currentVersion + 1,
      title: 'broken',
      up: 'create table half (x integer); select nonsense;',
      down: '',
    }
    await expect(migrate(store, currentVersion + 1, [...migrations, broken])).rejects.toThrow()
    expect(await storedVersion(store)).toBe(currentVersion)
    await expect(store.query('select * from half')).rejects.toThrow()
    await store.query('insert into schema_migrations values ($1, $2)', [currentVersion + 1, 'later'])
    await expect(migrate(store)).rejects.toMatchObject({ code: 'STATE_TOO_NEW' })
    await store.query('delete from schema_migrations where version = $1', [currentVersion + 1])
  })

  it('keeps all of a transaction or none of it', async () => {
    await expect(
      store.transaction(async (tx) => {
        await setMeta(tx, 'half', 'written')
        throw new Error('stop')
      }),
    ).rejects.toThrow('stop')
    expect(await getMeta(store, 'half')).toBeUndefined()
  })

  it('moves the cursor', async () => {
    expect(await getCursor(store, '1')).toBeUndefined()
    await setCursor(store, '1', { blockNumber: 3n, blockHash: '0x1', logIndex: -1 })
    await setCursor(store, '1', { blockNumber: 9n, blockHash: '0x2', logIndex: 4 })
    expect(await getCursor(store, '1')).toEqual({ blockNumber: 9n, blockHash: '0x2', logIndex: 4 })
  })

  it('takes a contribution in once and gives one wallet one number in all pools', async () => {
    const pool = contribution('1').pool
    await insertContribution(store, contribution('1', 'a'))
    await insertContribution(store, contribution('1', 'c'))
    await insertContribution(store, contribution('2', 'c'))
    await insertContribution(store, { ...contribution('3', 'a'), pool: `0x${'d'.repeat(40)}` })
    const first = await findContribution(store, '1')
    expect(first).toMatchObject({ ...contribution('1', 'a'), state: 'seen', score: null })
    expect((await findContribution(store, '3'))?.contributor).toBe(first?.contributor)
    expect((await findContribution(store, '2'))?.contributor).not.toBe(first?.contributor)
    expect(await findContribution(store, '99')).toBeUndefined()
    expect((await nextContributions(store, pool, 'seen', 10, 0)).map(({ id }) => id)).toEqual(['1', '2'])
  })

  it('walks a contribution through its states and counts them', async () => {
    const pool = contribution('1').pool
    await putOffContribution(store, '1', { reason: 'BLOB_MISSING', reasonText: 'not there', at: 100 })
    expect((await nextContributions(store, pool, 'seen', 10, 99)).map(({ id }) => id)).toEqual(['2'])
    expect(await nextContributions(store, pool, 'seen', 10, 100)).toHaveLength(2)
    // A time of a clock that was set far forward and back again is nobody's.
    await store.query('update contributions set retry_at = 86500 where id = 1')
    expect(await nextContributions(store, pool, 'seen', 10, 100)).toHaveLength(1)
    await store.query('update contributions set retry_at = 86501 where id = 1')
    expect(await nextContributions(store, pool, 'seen', 10, 100)).toHaveLength(2)
    const judged = { score: 9000, verdictDigest: digest('6'), batch: '1' }
    await markJudged(store, '1', { ...judged, reason: null, reasonText: null })
    await markJudged(store, '2', { ...judged, score: 0, reason: 'BLOB_MISSING', reasonText: 'gone' })
    await markBatchRecorded(store, '1')
    expect((await findContribution(store, '1'))?.state).toBe('recorded')
    expect(await countContributions(store, pool)).toEqual({
      states: { seen: 0, judged: 0, recorded: 1, refined: 0, withdrawn: 0, refused: 1 },
      refused: { BLOB_MISSING: 1 },
    })
    await markRefined(store, '1', '1', null)
    await markRefined(store, '2', '1', null)
    expect((await findContribution(store, '2'))?.state).toBe('refused')
    expect((await refinedInputs(store, pool)).map(({ id }) => id)).toEqual(['1'])
  })

  it('keeps a job, follows the chain state and honours the time of the next try', async () => {
    const job = {
      id: '5',
      consumer: contribution('1').owner,
      manifestDigest: digest('7'),
      locator: digest('7'),
      pools: [contribution('1').pool],
    }
    await insertJob(store, job)
    await insertJob(store, job)
    expect(await findJob(store, '5')).toMatchObject({ chainState: 'Proposed', state: 'seen', approvals: [] })
    await noteApproval(store, '5', { pool: job.pools[0] ?? job.consumer, block: '12', price: '7' })
    await noteChainState(store, '5', 'Approved')
    expect((await findJob(store, '5'))?.state).toBe('seen')
    await noteChainState(store, '5', 'Funded')
    expect(await findJob(store, '5')).toMatchObject({
      chainState: 'Funded',
      state: 'waiting',
      sealedResult: null,
      approvals: [{ pool: job.pools[0], block: '12', price: '7' }],
    })
    await putOffJob(store, '5', { reason: 'BLOB_MISSING', reasonText: 'x', at: 50 })
    expect(await dueJobs(store, ['waiting', 'running'], 49)).toEqual([])
    expect(await dueJobs(store, ['waiting', 'running'], 50)).toEqual(['5'])
    await moveJob(store, '5', { from: ['waiting'], to: 'running' })
    await moveJob(store, '5', { from: ['running'], to: 'charged' })
    await noteChainState(store, '5', 'Expired')
    expect((await findJob(store, '5'))?.state).toBe('charged')
    await moveJob(store, '5', { from: ['charged'], to: 'waiting' })
    await noteChainState(store, '5', 'Cancelled')
    expect((await findJob(store, '5'))?.state).toBe('closed')
  })

  it('gives contributions, jobs and batches by number, not by text', async () => {
    const other: Address = `0x${'e'.repeat(40)}`
    for (const id of ['110', '109', '1011', '99']) {
      await insertContribution(store, { ...contribution(id, 'a'), pool: other })
    }
    const next = await nextContributions(store, other, 'seen', 3, 0)
    expect(next.map(({ id }) => id)).toEqual(['99', '109', '110'])
    await store.query(`update contributions set state = 'refined', verdict_digest = 'x' where pool = $1`, [
      other,
    ])
    expect((await refinedInputs(store, other)).map(({ id }) => id)).toEqual(['99', '109', '110', '1011'])
  })

  it('changes a job from the expected states only, and never replaces the receipt of a released answer', async () => {
    const job = {
      id: '6',
      consumer: contribution('1').owner,
      manifestDigest: digest('7'),
      locator: digest('7'),
      pools: [contribution('1').pool],
    }
    const outcome = {
      manifest: null,
      plan: null,
      receipt: { statement: {} } as unknown as SignedStatement,
      receiptDigest: digest('8'),
      resultDigest: digest('9'),
      sealedResult: new Uint8Array(3),
      inputs: {},
      release: null,
      why: null,
    }
    const moved = { code: 'JOB_MOVED' }
    await insertJob(store, job)
    await expect(storeOutcome(store, '6', { ...outcome, state: 'charged' })).rejects.toMatchObject(moved)
    await expect(moveJob(store, '6', { from: ['waiting'], to: 'running' })).rejects.toMatchObject(moved)
    await noteChainState(store, '6', 'Funded')
    await moveJob(store, '6', { from: ['waiting'], to: 'running' })
    await storeOutcome(store, '6', { ...outcome, state: 'charged' })
    await expect(storeOutcome(store, '6', { ...outcome, state: 'refusing' })).rejects.toMatchObject(moved)
    await expect(putOffJob(store, '6', { reason: 'x', reasonText: 'x', at: 1 })).rejects.toMatchObject(moved)
    await delayJob(store, '6', { reason: 'x', reasonText: 'x', at: 50 })
    await delayJob(store, '6', { reason: 'y', reasonText: 'y', at: 50 })
    expect(await findJob(store, '6')).toMatchObject({ state: 'charged', reason: 'x', reasonText: 'x' })
    expect(await dueJobs(store, ['charged'], 49)).toEqual([])
    await tryNow(store, '6')
    expect(await dueJobs(store, ['charged'], 49)).toEqual(['6'])
    for (const [forced, state] of [
      ['running', 'refusing'],
      ['seen', 'seen'],
      ['running', 'charged'],
    ] as const) {
      await store.query(`update jobs set state = $1 where id = '6'`, [forced])
      const again = { ...outcome, state, receiptDigest: digest('a'), sealedResult: null }
      await expect(storeOutcome(store, '6', again)).rejects.toMatchObject(moved)
    }
    expect((await findJob(store, '6'))?.sealedResult).toEqual(new Uint8Array(3))
  })
})

describe('data directory', () => {
  it('is open in one node at a time, and free again when the store is closed', async () => {
    const directory = await folder()
    const store = await openPgliteStore({ directory })
    await expect(openPgliteStore({ directory })).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    await store.close()
    await (await openPgliteStore({ directory })).close()
  })

  it('is taken over from a node that was killed, also when its process number lives on', async () => {
    const directory = await folder()
    await writeFile(join(directory, 'node.lock'), `${process.pid} 1`)
    lockDirectory(directory)()
    await writeFile(join(directory, 'node.lock'), 'garbage')
    const unlock = lockDirectory(directory)
    expect(await readFile(join(directory, 'node.lock'), 'utf8')).toContain(`${process.pid} `)
    unlock()
  })

  it('says so when it does not hold a database', async () => {
    const directory = await folder()
    await writeFile(join(directory, 'pglite'), 'a file where a folder belongs')
    await expect(openPgliteStore({ directory })).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })

  it('holds every committed transaction, and no half one, after kill -9', async () => {
    const directory = await folder()
    const script = `
      import { PGlite } from ${JSON.stringify(import.meta.resolve('@electric-sql/pglite'))}
      const db = await PGlite.create({ dataDir: ${JSON.stringify(join(directory, 'pglite'))} })
      await db.exec('create table pairs (n integer, side text)')
      for (let n = 1; ; n++) {
        await db.transaction(async (tx) => {
          await tx.query('insert into pairs values ($1, $2)', [n, 'left'])
          await tx.query('insert into pairs values ($1, $2)', [n, 'right'])
        })
        process.stdout.write(n + '\\n')
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    await new Promise<void>((done) => {
      child.stdout.on('data', (data: Buffer) => {
        printed += data.toString()
        if (printed.split('\n').length > 300) child.kill('SIGKILL')
      })
      child.on('close', () => done())
    })
    const reported = Number(printed.trim().split('\n').at(-1))
    const store = await openPgliteStore({ directory })
    const [row] = await store.query(
      `select count(*) filter (where side = 'left') as lefts, count(*) filter (where side = 'right') as rights from pairs`,
    )
    expect(row?.['lefts']).toBe(row?.['rights'])
    expect(Number(row?.['lefts'])).toBeGreaterThanOrEqual(reported)
    await store.close()
  })
})
