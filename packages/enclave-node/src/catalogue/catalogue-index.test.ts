import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signedEntryFixture } from '../testing/catalogue-fixture.js'
import type { SignedEntry } from './catalogue-entry.js'
import { catalogueIndex } from './catalogue-index.js'

const page = { limit: 50, now: 0 }
const poolsOf = ({ entries }: { readonly entries: readonly SignedEntry[] }) =>
  entries.map(({ entry }) => entry.pool.slice(-2))
const made = (...entries: readonly SignedEntry[]) => {
  const index = catalogueIndex(100)
  for (const one of entries) index.put(one)
  return index
}
const pay = signedEntryFixture(1, { name: 'pay', description: 'Wages of workers in care homes.' })
const sleep = signedEntryFixture(2, { name: 'sleep', description: 'How long nurses sleep; no pay in here.' })
const food = signedEntryFixture(3, { name: 'food', description: 'What was eaten, and what was paid for it.' })

describe('a search', () => {
  it.each([
    ['one word, its pool’s name before a description', 'pay', ['01', '02']],
    ['the beginning of a word counts less than the word', 'pai', ['03']],
    ['all words must occur', 'pay wages', ['01']],
    ['case, marks and spaces are no matter', '  WAGES;care ', ['01']],
    ['wide letters are letters', 'ｐａｙ', ['01', '02']],
    ['a word that is nowhere', 'rent', []],
    ['nothing asked is everything, by address', '', ['01', '02', '03']],
    ['marks alone are nothing asked', '!?', ['01', '02', '03']],
    ['a name of every object', 'constructor __proto__', []],
    ['a column', 'hours', ['01', '02', '03']],
  ])('%s: %j', (_name, text, expected) => {
    expect(poolsOf(made(food, pay, sleep).search({ ...page, text }))).toEqual(expected)
  })

  it('by schema, and not what has expired', () => {
    const schema = `sha256:${'9'.repeat(64)}` as const
    const index = made(
      pay,
      signedEntryFixture(4, { schema }),
      signedEntryFixture(5, { schema, expiresAt: 100 }),
    )
    expect(poolsOf(index.search({ ...page, schema }))).toEqual(['04', '05'])
    expect(poolsOf(index.search({ ...page, schema, now: 100 }))).toEqual(['04'])
    expect(index.search({ ...page, schema, now: 100 }).total).toBe(1)
  })

  it('takes a newer entry in the place of the older, with the words of the newer alone', () => {
    const index = made(pay, signedEntryFixture(1, { name: 'rent', description: 'Rents.', issuedAt: 5 }))
    expect(poolsOf(index.search({ ...page, text: 'wages' }))).toEqual([])
    expect(poolsOf(index.search({ ...page, text: 'rent' }))).toEqual(['01'])
    // The same words, signed anew.
    index.put(signedEntryFixture(1, { name: 'rent', description: 'Rents.', issuedAt: 9 }))
    expect(index.search({ ...page, text: 'rent' }).entries[0]?.entry.issuedAt).toBe(9)
    index.remove(pay.entry.pool)
    index.remove(pay.entry.pool)
    expect(index.search(page)).toEqual({ entries: [], total: 0, next: null })
  })

  it('takes no more than it is made for, but still what it has', () => {
    const index = catalogueIndex(2)
    expect([pay, sleep, food].map((one) => index.put(one))).toEqual([true, true, false])
    expect(index.put(signedEntryFixture(1, { name: 'other' }))).toBe(true)
    expect(index.size).toBe(2)
  })

  it('goes on after a page whose last entry has gone meanwhile', () => {
    const index = made(pay, sleep, food)
    const first = index.search({ ...page, limit: 2 })
    expect(first.next).toBe(`0.${sleep.entry.pool}`)
    index.remove(sleep.entry.pool)
    expect(poolsOf(index.search({ ...page, limit: 2, after: first.next ?? undefined }))).toEqual(['03'])
  })
})

const words = ['pay', 'paid', 'care', 'sleep', 'a']
const entries = fc.uniqueArray(
  fc.record({
    number: fc.integer({ min: 1, max: 60 }),
    name: fc.constantFrom(...words),
    description: fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((list) => list.join(' ')),
  }),
  { selector: ({ number }) => number, maxLength: 30 },
)

describe('whatever is in it', () => {
  it('finds what a plain look at every entry finds, in one order, page by page', () => {
    fc.assert(
      fc.property(
        entries,
        fc.array(fc.constantFrom('pa', ...words), { maxLength: 3 }),
        fc.integer({ min: 1, max: 7 }),
        (given, asked, limit) => {
          const all = given.map(({ number, ...rest }) => signedEntryFixture(number, rest))
          const text = asked.join(' ')
          const index = made(...all)
          const backwards = made(...all.toReversed())
          const found: string[] = []
          let after: string | undefined
          do {
            const got = index.search({ ...page, text, limit, after })
            expect(backwards.search({ ...page, text, limit, after })).toEqual(got)
            found.push(...poolsOf(got))
            after = got.next ?? undefined
          } while (after !== undefined)
          const plain = all.filter(({ entry }) => {
            const own = `${entry.name} ${entry.description} hours`.split(' ')
            return asked.every((word) => own.some((one) => one.startsWith(word)))
          })
          expect(found.toSorted()).toEqual(poolsOf({ entries: plain }).toSorted())
          expect(new Set(found).size).toBe(found.length)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('is as if what was taken out had never been there', () => {
    fc.assert(
      fc.property(entries, fc.constantFrom('', 'pa', ...words), (given, text) => {
        const all = given.map(({ number, ...rest }) => signedEntryFixture(number, rest))
        const index = made(...all)
        const kept = all.filter((_, place) => place % 2 === 0)
        for (const one of all) if (!kept.includes(one)) index.remove(one.entry.pool)
        expect(index.search({ ...page, text })).toEqual(made(...kept).search({ ...page, text }))
      }),
      { numRuns: 100 },
    )
  })
})

describe('hostile words', () => {
  const distinct = (from: number, count: number) =>
    Array.from({ length: count }, (_, place) => `w${(from + place).toString(36).padStart(7, '0')}`).join(' ')

  it('of one entry fill no more than its share: its name is found, its last words are not', () => {
    const index = made(signedEntryFixture(1, { name: 'loud', description: distinct(100_000, 2_000) }))
    const found = (text: string) => index.search({ ...page, text }).total
    expect(found('loud')).toBe(1)
    expect(found(distinct(100_000, 1))).toBe(1)
    expect(found(distinct(101_999, 1))).toBe(0)
  })

  it('that differ all fill no more than the index takes, and what was there before is found as before', () => {
    const index = catalogueIndex(1_000)
    index.put(pay)
    for (let one = 2; one < 402; one++)
      index.put(signedEntryFixture(one, { name: 'loud', description: distinct(one * 1_000_000, 290) }))
    const found = (text: string) => index.search({ ...page, text }).total
    expect(found(pay.entry.name)).toBe(1)
    expect(found(distinct(2 * 1_000_000, 1))).toBe(1)
    expect(found(distinct(401 * 1_000_000, 1))).toBe(0)
    // A beginning of everything is looked up in so many places, and no more.
    expect(found('w')).toBe(0)
    const some = found('w0')
    expect(some).toBeGreaterThan(0)
    expect(some).toBeLessThan(400)
    expect(found('loud')).toBe(400)
    for (let one = 2; one < 402; one++) index.remove(signedEntryFixture(one, {}).entry.pool)
    index.put(signedEntryFixture(2, { name: distinct(9_000_000, 1) }))
    expect(found(distinct(9_000_000, 1))).toBe(1)
  })
})
