import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { anchorDigest } from '../accountant/ledger-anchor.js'
import type { LedgerEntry } from '../accountant/ledger-entry.js'
import { openFileLedger } from './index.js'

/*
 * A reader written from docs/formats/budget-ledger.md alone: nothing of the package but types and what is compared.
 */
const folder = mkdtempSync(join(tmpdir(), 'sealpool-reader-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function digest(tag: string, fields: readonly string[]): string {
  const hash = createHash('sha256').update(`${tag}\0`)
  for (const field of fields) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(field))
    hash.update(length).update(field)
  }
  return `sha256:${hash.digest('hex')}`
}

function hashOf({ pool, version, job, leaves, charge, state, previous }: LedgerEntry): string {
  return digest('sealpool/ledger-entry/1', [
    pool,
    String(version),
    version === 0 ? 'open' : 'charge',
    job ?? '',
    String(leaves.length),
    ...leaves,
    String(charge?.epsilon ?? ''),
    String(charge?.delta ?? ''),
    String(charge?.zcdp?.rho ?? ''),
    String(charge?.zcdp?.delta ?? ''),
    state.accounting,
    String(state.epsilon),
    String(state.delta),
    state.primaryTotal,
    state.deltaTotal,
    state.primarySpent,
    state.deltaSpent,
    previous,
  ])
}

test('the file is what its page says', async () => {
  const path = join(folder, 'budget.jsonl')
  const ledger = await openFileLedger({ path })
  await ledger.open('pay', { accounting: 'basic', epsilon: 6, delta: 1e-6 })
  await ledger.open('sch\u00f6n', { accounting: 'zcdp', epsilon: 3, delta: 1e-6 })
  const charge = { epsilon: 0.5, delta: 2e-7, zcdp: { rho: 0.01, delta: 1e-9 } }
  await ledger.chargeAll([
    { pool: 'pay', job: '1', leaves: ['pay.b', 'pay.a'], charge },
    { pool: 'sch\u00f6n', job: '1', leaves: ['x'], charge },
  ])
  await ledger.charge({ pool: 'sch\u00f6n', job: '2', leaves: ['x'], charge: { epsilon: 0.1, delta: 0 } })
  const anchors = await ledger.anchors()
  await ledger.close()

  const text = readFileSync(path, 'utf8')
  expect(text.endsWith('\n')).toBe(true)
  const [header, ...lines] = text.slice(0, -1).split('\n')
  expect(header).toBe('{"format":"sealpool/budget-ledger","version":1}')
  const transactions = lines.map((line) => JSON.parse(line) as LedgerEntry[])
  expect(transactions.map((entries) => entries.length)).toEqual([1, 1, 2, 1])
  const heads = new Map<string, LedgerEntry>()
  for (const entry of transactions.flat()) {
    const before = heads.get(entry.pool)
    expect(entry.hash).toBe(hashOf(entry))
    expect(entry.previous).toBe(before?.hash ?? `sha256:${'0'.repeat(64)}`)
    expect(entry.version).toBe(before === undefined ? 0 : before.version + 1)
    heads.set(entry.pool, entry)
  }
  // 0.5 epsilon and 2e-7; 0.01 rho and 1e-9, then 0.1 squared over two.
  expect(heads.get('pay')).toMatchObject({
    leaves: ['pay.a', 'pay.b'],
    state: { primarySpent: '500000000', deltaSpent: '200000000000' },
  })
  expect(heads.get('sch\u00f6n')?.state).toMatchObject({
    primarySpent: '15000000000',
    deltaSpent: '1000000000',
    deltaTotal: '500000000000',
  })
  const fields = [...heads.values()]
    .sort((a, b) => (a.pool < b.pool ? -1 : 1))
    .flatMap(({ pool, version, hash }) => [pool, String(version), hash])
  expect(anchorDigest(anchors)).toBe(digest('sealpool/ledger-anchor/1', fields))
})
