import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ledgerConformance } from '../testing/ledger-conformance.js'
import { anchorDigest, assertAnchored } from './ledger-anchor.js'
import { type LedgerStorage, openStoredLedger } from './stored-ledger.js'

/** A disk that can fail: an append stops after some bytes of it were written. */
function faultyDisk(bytes: Uint8Array = new Uint8Array(0)) {
  const disk = { bytes, appends: 0, failAfter: Number.POSITIVE_INFINITY, closed: false }
  const storage: LedgerStorage = {
    read: async () => disk.bytes,
    append: async (more) => {
      disk.appends++
      await Promise.resolve()
      const written = more.subarray(0, Math.min(more.length, disk.failAfter))
      disk.bytes = Uint8Array.from([...disk.bytes, ...written])
      if (written.length < more.length) throw new Error('no space left')
    },
    truncate: async (length) => {
      disk.bytes = disk.bytes.slice(0, length)
    },
    close: async () => {
      disk.closed = true
    },
  }
  return { disk, storage }
}

const totals = { accounting: 'basic', epsilon: 6, delta: 1e-6 } as const
const request = (job: string, pool = 'pay', epsilon = 0.5) => ({
  pool,
  job,
  leaves: [`${pool}.workers`],
  charge: { epsilon, delta: 1e-9 },
})

ledgerConformance('stored', () => openStoredLedger(faultyDisk().storage))

async function written() {
  const { disk, storage } = faultyDisk()
  const ledger = await openStoredLedger(storage)
  await ledger.open('pay', totals)
  await ledger.open('people', totals)
  await ledger.charge(request('1'))
  await ledger.chargeAll([request('2'), request('2', 'people')])
  await ledger.charge(request('3'))
  return disk.bytes
}
const spentOf = async (bytes: Uint8Array) => {
  const { storage } = faultyDisk(bytes)
  const ledger = await openStoredLedger(storage)
  const spent = async (pool: string) =>
    ledger.head(pool).then(
      ({ state }) => Number(state.epsilonSpent),
      () => null,
    )
  return { pay: await spent('pay'), people: await spent('people') }
}

describe('a write that is torn', () => {
  test('at any byte leaves the last whole transaction, and no half of one', async () => {
    const bytes = await written()
    const ends = [...bytes.keys()].filter((index) => bytes[index] === 10).map((index) => index + 1)
    const states = [
      { pay: null, people: null },
      { pay: 0, people: null },
      { pay: 0, people: 0 },
      { pay: 0.5, people: 0 },
      { pay: 1, people: 0.5 },
      { pay: 1.5, people: 0.5 },
    ]
    expect(ends).toHaveLength(states.length)
    for (let length = 0; length <= bytes.length; length += length % 7 === 0 ? 1 : 3) {
      const whole = ends.filter((end) => end <= length).length
      expect(await spentOf(bytes.slice(0, length))).toEqual(states[Math.max(0, whole - 1)])
    }
  })

  test('is cut off on opening, so that what is written next is whole', async () => {
    const bytes = await written()
    const { disk, storage } = faultyDisk(bytes.slice(0, bytes.length - 5))
    const ledger = await openStoredLedger(storage)
    await ledger.charge(request('4'))
    expect(await spentOf(disk.bytes)).toEqual({ pay: 1.5, people: 0.5 })
  })

  test.each([0, 1, 40, 200])(
    'after %i bytes refuses everything until the ledger is opened again',
    async (bytes) => {
      const { disk, storage } = faultyDisk()
      const ledger = await openStoredLedger(storage)
      await ledger.open('pay', totals)
      disk.failAfter = bytes
      await expect(ledger.charge(request('1'))).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
      disk.failAfter = Number.POSITIVE_INFINITY
      for (const call of [
        ledger.charge(request('1')),
        ledger.charge(request('2')),
        ledger.head('pay'),
        ledger.entries('pay'),
      ]) {
        await expect(call).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
      }
      const again = await openStoredLedger(storage)
      expect((await again.charge(request('2'))).after.epsilonSpent).toBe('0.5')
    },
  )

  test('of many charges at once loses answers, never charges', async () => {
    for (const failAfter of [0, 100, 700, 1_500, 5_000]) {
      const { disk, storage } = faultyDisk()
      const ledger = await openStoredLedger(storage)
      await ledger.open('pay', { ...totals, epsilon: 1_000 })
      disk.failAfter = failAfter
      const jobs = [...Array(30).keys()].map(String)
      const results = await Promise.allSettled(jobs.map((job) => ledger.charge(request(job))))
      const answered = jobs.filter((_, index) => results[index]?.status === 'fulfilled')
      const after = await openStoredLedger(faultyDisk(disk.bytes).storage)
      const booked = new Set((await after.entries('pay')).map(({ job }) => job))
      for (const job of answered) expect(booked.has(job)).toBe(true)
    }
  })
})

describe('what is stored', () => {
  test('64 charges at once share few writes and never overspend', async () => {
    const { disk, storage } = faultyDisk()
    const ledger = await openStoredLedger(storage)
    await ledger.open('pay', totals)
    const before = disk.appends
    const results = await Promise.allSettled(
      [...Array(64).keys()].map((job) => ledger.charge(request(String(job)))),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(12)
    expect(disk.appends - before).toBeLessThan(4)
    expect(await spentOf(disk.bytes)).toEqual({ pay: 6, people: null })
  })

  test('with any byte changed is refused, or is a torn end', async () => {
    const bytes = await written()
    const whole = await spentOf(bytes)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ flip
        // Nothing that could be read as less spent comes out of it.
        const found = await spentOf(changed).catch((error: unknown) => error)
        if (found instanceof Error) expect(found).toMatchObject({ code: 'LEDGER_CHAIN_BROKEN' })
        else expect(found).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['another header', () => '{"format":"other"}\n'],
    ['a line that is not JSON', (good: string) => `${good}{\n`],
    ['an empty transaction', (good: string) => `${good}[]\n`],
    ['a null', (good: string) => `${good}null\n`],
    ['a transaction twice', (good: string) => good + good.split('\n').slice(-2).join('\n')],
    [
      'a transaction left out',
      (good: string) =>
        good
          .split('\n')
          .filter((_, index) => index !== 3)
          .join('\n'),
    ],
    ['bytes that are not text', (good: string) => `${good}\u0000\n`],
  ])('with %s is refused', async (_, change) => {
    const good = new TextDecoder().decode(await written())
    await expect(spentOf(new TextEncoder().encode(change(good)))).rejects.toMatchObject({
      code: 'LEDGER_CHAIN_BROKEN',
    })
  })

  test('is read in turn after the writes before it', async () => {
    const { storage } = faultyDisk()
    const ledger = await openStoredLedger(storage)
    const opening = ledger.open('pay', totals)
    const charging = ledger.charge(request('1'))
    expect((await ledger.head('pay')).state.epsilonSpent).toBe('0.5')
    await Promise.all([opening, charging])
  })

  test('closes after what is being written, once and for all', async () => {
    const { disk, storage } = faultyDisk()
    const ledger = await openStoredLedger(storage)
    const opening = ledger.open('pay', totals)
    await ledger.close()
    await opening
    expect(disk.closed).toBe(true)
    await expect(ledger.head('pay')).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
  })
})

describe('an anchor', () => {
  test('is part of the ledger, also when it is older than the head', async () => {
    const bytes = await written()
    const ledger = await openStoredLedger(faultyDisk(bytes).storage)
    const entries = await ledger.entries('pay')
    for (const { version, hash } of entries) assertAnchored(entries, { pool: 'pay', version, head: hash })
    const [pay] = await ledger.anchors()
    expect(pay).toEqual({ pool: 'pay', version: 3, head: entries[3]?.hash })
    for (const wrong of [
      { pool: 'pay', version: 2, head: entries[3]?.hash ?? '' },
      { pool: 'pay', version: 4, head: entries[3]?.hash ?? '' },
      { pool: 'people', version: 3, head: entries[3]?.hash ?? '' },
      { pool: 'nobody', version: 0, head: 'x' },
    ]) {
      await expect(openStoredLedger(faultyDisk(bytes).storage, { anchors: [wrong] })).rejects.toMatchObject({
        code: 'LEDGER_CHAIN_BROKEN',
      })
    }
  })

  test('digest covers each field of each pool, in any order', () => {
    const anchors = [
      { pool: 'a', version: 1, head: 'h' },
      { pool: 'b', version: 2, head: 'i' },
    ]
    const digest = anchorDigest(anchors)
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(anchorDigest([...anchors].reverse())).toBe(digest)
    const others = [
      [{ pool: 'a', version: 1, head: 'h' }],
      [{ pool: 'a', version: 2, head: 'h' }, anchors[1]],
      [{ pool: 'a', version: 1, head: 'j' }, anchors[1]],
      [{ pool: 'c', version: 1, head: 'h' }, anchors[1]],
    ]
    for (const other of others) {
      expect(anchorDigest(other.filter((anchor) => anchor !== undefined))).not.toBe(digest)
    }
    expect(() => anchorDigest([...anchors, ...anchors])).toThrow(
      expect.objectContaining({ place: 'anchors' }),
    )
  })
})
