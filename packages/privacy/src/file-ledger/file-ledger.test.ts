import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ledgerConformance } from '../testing/ledger-conformance.js'
import { openFileLedger, type StoredLedger } from './index.js'

const folder = mkdtempSync(join(tmpdir(), 'sealpool-ledger-'))
let next = 0
const fresh = () => join(folder, `${next++}.jsonl`)
const totals = { accounting: 'basic', epsilon: 6, delta: 1e-6 } as const
const request = (job: string) => ({
  pool: 'pay',
  job,
  leaves: ['pay.workers'],
  charge: { epsilon: 1, delta: 1e-8 },
})

const opened: StoredLedger[] = []
afterAll(async () => {
  await Promise.all(opened.map((ledger) => ledger.close()))
  rmSync(folder, { recursive: true, force: true })
})
ledgerConformance('file', async () => {
  const ledger = await openFileLedger({ path: fresh() })
  opened.push(ledger)
  return ledger
})

describe('a ledger in a file', () => {
  test('is the same after closing and opening, and anchors prove it', async () => {
    const path = fresh()
    const first = await openFileLedger({ path })
    await first.open('pay', totals)
    const receipt = await first.charge(request('1'))
    const anchors = await first.anchors()
    await first.charge(request('2'))
    const entries = await first.entries('pay')
    await first.close()
    const second = await openFileLedger({ path, anchors })
    expect(await second.entries('pay')).toEqual(entries)
    expect(await second.charge(request('1'))).toEqual(receipt)
    expect((await second.head('pay')).state.epsilonSpent).toBe('2')
    await second.close()
  })

  test('rolled back to an older copy is found out by an anchor', async () => {
    const path = fresh()
    const ledger = await openFileLedger({ path })
    await ledger.open('pay', totals)
    const old = readFileSync(path)
    await ledger.charge(request('1'))
    const anchors = await ledger.anchors()
    await ledger.close()
    writeFileSync(path, old)
    await expect(openFileLedger({ path, anchors })).rejects.toMatchObject({ code: 'LEDGER_CHAIN_BROKEN' })
    // The failed opening gave the lock back; without an anchor nobody can tell.
    await (await openFileLedger({ path })).close()
  })

  test('is opened by one process at a time, and a dead one does not keep it', async () => {
    const path = fresh()
    const ledger = await openFileLedger({ path })
    await expect(openFileLedger({ path })).rejects.toMatchObject({ code: 'LEDGER_IN_USE' })
    await ledger.close()
    expect(existsSync(`${path}.lock`)).toBe(false)
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    writeFileSync(`${path}.lock`, `${pid} 1`)
    const again = await openFileLedger({ path })
    await again.close()
    // The number of a living process with another start is a reused number.
    writeFileSync(`${path}.lock`, `${process.pid} 1`)
    await (await openFileLedger({ path })).close()
  })

  test('refuses to write behind somebody else', async () => {
    const path = fresh()
    const ledger = await openFileLedger({ path })
    await ledger.open('pay', totals)
    appendFileSync(path, '[]\n')
    await expect(ledger.charge(request('1'))).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
    await ledger.close()
    await expect(openFileLedger({ path })).rejects.toMatchObject({ code: 'LEDGER_CHAIN_BROKEN' })
  })

  test('survives a process that is killed in the middle of charges', async () => {
    const path = fresh()
    const ledger = await openFileLedger({ path })
    await ledger.open('pay', { ...totals, epsilon: 1000 })
    const jobs = Array.from({ length: 200 }, (_, job) =>
      ledger.charge({ ...request(String(job)), charge: { epsilon: 1, delta: 0 } }),
    )
    const answered = new Set<number>()
    jobs.forEach((job, index) => {
      job.then(
        () => answered.add(index),
        () => undefined,
      )
    })
    await jobs[20]
    // What the disk holds at this moment is what a crash would leave.
    const image = readFileSync(path)
    const seen = [...answered]
    await Promise.all(jobs)
    await ledger.close()
    const copy = fresh()
    writeFileSync(copy, image)
    const after = await openFileLedger({ path: copy })
    const booked = new Set((await after.entries('pay')).map(({ job }) => job))
    for (const job of seen) expect(booked.has(String(job))).toBe(true)
    await after.close()
  })
})
