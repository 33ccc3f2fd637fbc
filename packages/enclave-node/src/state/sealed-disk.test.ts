import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { groupStore, postgresPrograms, startPostgres } from '../testing/postgresql-server.js'
import { canary, cipherOf, contribution, everything, memory, reopened } from '../testing/sealed-stores.js'
import { insertContribution } from './contribution-table.js'
import { setMeta } from './meta-table.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import { openSealedStore } from './sealed-store.js'
import type { StateStore } from './state-store.js'

const folders: string[] = []
function folder(): string {
  folders.push(mkdtempSync(join(tmpdir(), 'sealpool-sealed-')))
  return folders.at(-1) as string
}
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true })
})

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
afterAll(async () => postgres?.stop())
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
