import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signedEntryFixture } from '../testing/catalogue-fixture.js'
import type { CatalogueEntry, SignedEntry } from './catalogue-entry.js'
import { catalogueIndex } from './catalogue-index.js'
import { traitsOf } from './likeness.js'

const all = { limit: 100, now: 0 }
const made = (...entries: readonly SignedEntry[]) => {
  const index = catalogueIndex(100)
  for (const one of entries) index.put(one)
  return index
}
const columns = (...names: readonly (readonly [string, string, (string | null)?])[]) => [
  {
    name: 't',
    description: '',
    columns: names.map(([name, type, unit = null]) => ({ name, type, unit, description: '' })),
  },
]
const other = `sha256:${'5'.repeat(64)}` as const
const pay = signedEntryFixture(1, {
  name: 'pay',
  description: 'Wages of workers in care homes.',
  tables: columns(['wage', 'decimal', 'EUR'], ['hours', 'integer']),
})
/** Says the same in other words. */
const wages = signedEntryFixture(2, {
  name: 'wages',
  description: 'What people earn.',
  schema: other,
  tables: columns(['wage', 'decimal', 'EUR'], ['hours', 'integer']),
})
/** The same names, of another kind. */
const ranks = signedEntryFixture(3, {
  name: 'ranks',
  schema: other,
  tables: columns(['wage', 'text'], ['hours', 'text']),
})
/** Nothing but a word. */
const homes = signedEntryFixture(4, { name: 'homes', schema: other, tables: columns(['room', 'integer']) })
const sleep = signedEntryFixture(5, {
  name: 'sleep',
  schema: `sha256:${'6'.repeat(64)}`,
  tables: [{ name: 'nights', description: '', columns: [] }],
})
const shown = (index: ReturnType<typeof made>, { entry }: SignedEntry, options = all) =>
  index.similar(entry.pool, options)?.map(({ signed, likeness }) => [signed.entry.name, likeness])

describe('what is like an entry', () => {
  it('is first what has its columns, then what has their names, then what has its words; not what shares nothing, nor itself', () => {
    const found = shown(made(homes, sleep, ranks, pay, wages), pay)
    expect(found?.map(([name]) => name)).toEqual(['wages', 'ranks', 'homes'])
    expect(found?.map(([, likeness]) => likeness)).toEqual(
      found?.map(([, likeness]) => likeness).toSorted((a, b) => Number(b) - Number(a)),
    )
  })

  it('is wholly like it when it declares the same, under whatever name of pool, node or price', () => {
    const same = signedEntryFixture(9, { ...pay.entry, pool: `0x${'9'.padStart(40, '0')}`, price: '7' })
    expect(shown(made(pay, same), pay)).toEqual([['pay', 1_000]])
  })

  it('counts its schema', () => {
    const bare = { name: '', tables: [] }
    const index = made(
      signedEntryFixture(1, { ...bare, schema: other }),
      signedEntryFixture(2, { ...bare, schema: other }),
      signedEntryFixture(3, bare),
    )
    expect(index.similar(pay.entry.pool, all)?.map(({ signed }) => signed.entry.pool.slice(-1))).toEqual([
      '2',
    ])
  })

  it('counts what few have for more than what all have', () => {
    const said = (number: number, name: string) =>
      signedEntryFixture(number, { name, tables: [], schema: `sha256:${String(number).repeat(64)}` })
    const rest = [4, 5, 6, 7].map((number) => said(number, 'data'))
    const index = made(said(1, 'data oncology'), said(2, 'oncology'), said(3, 'data'), ...rest)
    const found = index.similar(pay.entry.pool, all)
    expect(found?.[0]?.signed.entry.name).toBe('oncology')
    expect(found?.[0]?.likeness).toBeGreaterThan(found?.[1]?.likeness ?? 0)
  })

  it('is known by what it declares now, and gone when it is gone or has expired', () => {
    const index = made(pay, wages)
    index.put(signedEntryFixture(2, { ...wages.entry, tables: pay.entry.tables, schema: pay.entry.schema }))
    const [closer] = shown(index, pay) ?? []
    expect(closer?.[1]).toBeGreaterThan(Number(shown(made(pay, wages), pay)?.[0]?.[1]))
    expect(shown(index, pay, { ...all, now: wages.entry.expiresAt })).toBeUndefined()
    const late = made(pay, signedEntryFixture(2, { ...wages.entry, expiresAt: 5 }))
    expect(shown(late, pay, { ...all, now: 5 })).toEqual([])
    index.remove(wages.entry.pool)
    expect(shown(index, pay)).toEqual([])
    expect(index.similar(wages.entry.pool, all)).toBeUndefined()
  })

  it('is cut off where the caller says', () => {
    expect(shown(made(pay, wages, ranks, homes), pay, { ...all, limit: 2 })).toHaveLength(2)
  })
})

const words = ['pay', 'care', 'sleep', 'night']
const entries = fc.uniqueArray(
  fc.record({
    number: fc.integer({ min: 1, max: 60 }),
    name: fc.constantFrom(...words),
    description: fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((list) => list.join(' ')),
    tables: fc
      .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom('integer', 'text')), { maxLength: 4 })
      .map((list) => columns(...list)),
  }),
  { selector: ({ number }) => number, maxLength: 20, minLength: 1 },
)

describe('whatever is in a catalogue', () => {
  const similarTo = (index: ReturnType<typeof made>, { entry }: SignedEntry) =>
    index.similar(entry.pool, all)?.map(({ signed, likeness }) => [signed.entry.pool, likeness])

  it('two entries are as much alike one way as the other, and the order of coming and going is no matter', () => {
    fc.assert(
      fc.property(entries, (given) => {
        const put = given.map(({ number, ...rest }) => signedEntryFixture(number, rest))
        const kept = put.filter((_, place) => place % 3 !== 2)
        const index = made(...put)
        // What was asked before is no matter either.
        for (const one of put) similarTo(index, one)
        for (const one of put) if (!kept.includes(one)) index.remove(one.entry.pool)
        const plain = made(...kept.toReversed())
        for (const one of kept) {
          const found = similarTo(index, one)
          expect(found).toEqual(similarTo(plain, one))
          for (const [pool, likeness] of found ?? []) {
            expect(likeness).toBeGreaterThan(0)
            expect(likeness).toBeLessThanOrEqual(1_000)
            const back = kept.find(({ entry }) => entry.pool === pool)
            expect(back && similarTo(index, back)).toContainEqual([one.entry.pool, likeness])
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})

it('reads so much of an entry and no more: first what says most', () => {
  const distinct = (count: number, from: string) =>
    Array.from({ length: count }, (_, place) => `${from}${place}`).join(' ')
  const loud: Partial<CatalogueEntry> = {
    tables: columns(...Array.from({ length: 500 }, (_, place) => [`column${place}`, 'integer'] as const)),
    description: distinct(1_000, 'w'),
  }
  expect(traitsOf(signedEntryFixture(1, loud).entry)).toHaveLength(400)
  const quiet = traitsOf(signedEntryFixture(1, { ...loud, description: '' }).entry)
  expect(traitsOf(signedEntryFixture(1, loud).entry)).toEqual(quiet)
})
