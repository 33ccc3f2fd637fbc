import { platformRandom } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canary, cipherOf, contribution, everything, memory, reopened } from '../testing/sealed-stores.js'
import { findContribution, insertContribution } from './contribution-table.js'
import { setMeta } from './meta-table.js'
import { currentVersion, migrate, storedVersion } from './migration.js'
import { openSealedStore } from './sealed-store.js'

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
