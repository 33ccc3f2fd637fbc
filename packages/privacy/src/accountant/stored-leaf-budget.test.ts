import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leafSpent } from './leaf-budget.js'
import { createMemoryStorage } from './memory-storage.js'
import { openRecordLog } from './record-log.js'
import { openStoredLeafBudget } from './stored-leaf-budget.js'

const totals = { accounting: 'basic', epsilon: 3, delta: 1e-6 } as const
const charge = { epsilon: 1, delta: 1e-7 }

describe('budgets of leaves on a storage', () => {
  test('are the same after they are opened again, and go on from there', async () => {
    const { storage, bytes } = createMemoryStorage()
    const first = await openStoredLeafBudget(storage, { totals })
    expect(await first.admit({ batch: 'a', table: 'pay.workers', contributors: 10 })).toEqual({ first: 0 })
    await first.charge({ job: '1', charge, tables: ['pay.workers'] })
    expect(await first.admit({ batch: 'b', table: 'pay.workers', contributors: 5 })).toEqual({ first: 10 })
    const { paid } = await first.charge({ job: '2', charge, tables: ['pay.workers', 'pay.workers'] })
    expect(paid).toEqual([{ table: 'pay.workers', from: 0, to: 15 }])
    const [state, head] = [first.budget(), first.head()]
    await first.close()
    const second = await openStoredLeafBudget(createMemoryStorage(bytes()).storage, { totals, anchor: head })
    expect(second.budget()).toEqual(state)
    expect(leafSpent(second.budget(), { table: 'pay.workers', contributor: 12 }).primary).toBe('1')
    // Asked again under the same name: nothing happens, and the same is said.
    expect(await second.charge({ job: '2', charge, tables: ['pay.workers'] })).toEqual({ paid })
    expect(await second.admit({ batch: 'b', table: 'pay.workers', contributors: 5 })).toEqual({ first: 10 })
    expect(second.budget()).toEqual(state)
    await second.charge({ job: '3', charge, tables: ['pay.workers'] })
    await expect(second.charge({ job: '4', charge, tables: ['pay.workers'] })).rejects.toMatchObject({
      code: 'BUDGET_EXHAUSTED',
    })
    const last = await second.charge({ job: '4', charge, tables: ['pay.workers'], exhausted: 'leave-out' })
    expect(last.paid).toEqual([{ table: 'pay.workers', from: 10, to: 15 }])
  })

  test('refuse a name with other contents, other totals, a storage that lacks the anchor', async () => {
    const { storage, bytes } = createMemoryStorage()
    const first = await openStoredLeafBudget(storage, { totals })
    await first.admit({ batch: 'a', table: 't', contributors: 1 })
    const old = bytes()
    await first.charge({ job: '1', charge, tables: ['t'] })
    const conflict = { code: 'LEDGER_CONFLICT' }
    await expect(first.admit({ batch: 'a', table: 't', contributors: 2 })).rejects.toMatchObject(conflict)
    await expect(
      first.charge({ job: '1', charge: { epsilon: 0.5, delta: 0 }, tables: ['t'] }),
    ).rejects.toMatchObject(conflict)
    const reopen = (image: Uint8Array, options: object) =>
      openStoredLeafBudget(createMemoryStorage(image).storage, { totals, ...options })
    await expect(reopen(bytes(), { totals: { ...totals, epsilon: 4 } })).rejects.toMatchObject(conflict)
    await expect(reopen(bytes(), { mostRuns: 7 })).rejects.toMatchObject(conflict)
    const anchor = first.head()
    expect(anchor.records).toBe(3)
    await expect(reopen(old, { anchor })).rejects.toMatchObject({ code: 'LEDGER_CHAIN_BROKEN' })
    expect((await reopen(bytes(), { anchor })).head()).toEqual(anchor)
  })

  test('say nothing before the disk has it, not even to who asks twice', async () => {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const { storage } = createMemoryStorage()
    const store = await openStoredLeafBudget(
      {
        ...storage,
        append: async (added) => {
          if (new TextDecoder().decode(added).includes('"job"')) await gate
          await storage.append(added)
        },
      },
      { totals },
    )
    await store.admit({ batch: 'a', table: 't', contributors: 1 })
    const told: number[] = []
    const both = [1, 2].map(async (turn) => {
      await store.charge({ job: 'x', charge, tables: ['t'] })
      told.push(turn)
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toEqual([])
    release()
    await Promise.all(both)
    expect(told).toEqual([1, 2])
    expect(leafSpent(store.budget(), { table: 't', contributor: 0 }).primary).toBe('1')
  })

  test('never overspend when 64 charges come at once', async () => {
    const store = await openStoredLeafBudget(createMemoryStorage().storage, { totals })
    await store.admit({ batch: 'a', table: 't', contributors: 3 })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 64 }, (_, job) => store.charge({ job: String(job), charge, tables: ['t'] })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(leafSpent(store.budget(), { table: 't', contributor: 2 }).primary).toBe('3')
  })
})

describe('a log of records', () => {
  const format = 'test/records'

  test('loses only what nobody was told, wherever a crash cuts it', async () => {
    const { storage, bytes } = createMemoryStorage()
    const log = await openRecordLog(storage, { format })
    const ends = [bytes().length]
    for (const text of ['a', 'é', '{"x":"\\n"}']) {
      await log.append({ text })
      ends.push(bytes().length)
    }
    const image = bytes()
    for (let cut = 0; cut <= image.length; cut += 1) {
      const torn = createMemoryStorage(image.slice(0, cut))
      const again = await openRecordLog(torn.storage, { format })
      const whole = ends.filter((end) => end <= cut).length
      expect(again.records).toHaveLength(Math.max(0, whole - 1))
      await again.append('next')
      expect(
        (await openRecordLog(createMemoryStorage(torn.bytes()).storage, { format })).records.at(-1),
      ).toBe('next')
    }
  })

  test('refuses every other change of a byte', async () => {
    const { storage, bytes } = createMemoryStorage()
    const log = await openRecordLog(storage, { format })
    for (const text of ['one', 'two', 'three']) await log.append({ text })
    const image = bytes()
    await fc.assert(
      fc.asyncProperty(fc.nat(image.length - 2), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = image.slice()
        changed[at] = (changed[at] ?? 0) ^ flip
        await expect(openRecordLog(createMemoryStorage(changed).storage, { format })).rejects.toMatchObject({
          code: 'LEDGER_CHAIN_BROKEN',
        })
      }),
      { numRuns: 300 },
    )
    const lines = new TextDecoder().decode(image).split('\n')
    const without = new TextEncoder().encode([lines[0], lines[2], lines[3], ''].join('\n'))
    const swapped = new TextEncoder().encode([lines[0], lines[2], lines[1], lines[3], ''].join('\n'))
    for (const changed of [without, swapped]) {
      await expect(openRecordLog(createMemoryStorage(changed).storage, { format })).rejects.toMatchObject({
        code: 'LEDGER_CHAIN_BROKEN',
      })
    }
    await expect(
      openRecordLog(createMemoryStorage(image).storage, { format: 'other' }),
    ).rejects.toMatchObject({
      code: 'LEDGER_CHAIN_BROKEN',
    })
  })

  test('refuses everything after a write that failed, and after it is closed', async () => {
    const { storage } = createMemoryStorage()
    let fails = false
    const log = await openRecordLog(
      {
        ...storage,
        append: async (added) => {
          if (fails) throw new Error('disk full')
          await storage.append(added)
        },
      },
      { format },
    )
    await log.append(1)
    const head = log.head()
    fails = true
    const outcomes = await Promise.allSettled([log.append(2), log.append(3)])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    fails = false
    await expect(log.append(4)).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
    expect(log.head()).toEqual(head)
    await log.close()
    const other = await openRecordLog(createMemoryStorage().storage, { format })
    await other.close()
    await expect(other.append(1)).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
  })
})
