import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Row } from '../schema/table-schema.js'
import { property } from '../testing/property.js'
import { contentDigest } from './content-digest.js'

const anyRows = fc.array(
  fc.record({
    contributor: fc.nat(),
    wage: fc.constantFrom('5.10', '7.00'),
    member: fc.option(fc.boolean()),
  }),
  { maxLength: 20 },
)
const turned = (row: Row): Row => Object.fromEntries(Object.entries(row).reverse())

describe('contentDigest', () => {
  property(
    'does not depend on the order of rows, columns or tables',
    [
      anyRows.chain((rows) =>
        fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })),
      ),
    ],
    ([rows, shuffled]) => {
      const other: Row[] = [{ contributor: 1 }]
      expect(contentDigest({ b: other, a: shuffled.map(turned) })).toBe(contentDigest({ a: rows, b: other }))
    },
  )

  test.each<[string, Readonly<Record<string, readonly Row[]>>]>([
    ['a value', { a: [{ contributor: 1, wage: '5.11' }] }],
    ['a contributor', { a: [{ contributor: 2, wage: '5.10' }] }],
    [
      'a repetition',
      {
        a: [
          { contributor: 1, wage: '5.10' },
          { contributor: 1, wage: '5.10' },
        ],
      },
    ],
    ['a table name', { b: [{ contributor: 1, wage: '5.10' }] }],
    ['a further empty table', { a: [{ contributor: 1, wage: '5.10' }], b: [] }],
    ['nothing', { a: [] }],
  ])('depends on %s', (_, tables) => {
    expect(contentDigest(tables)).not.toBe(contentDigest({ a: [{ contributor: 1, wage: '5.10' }] }))
  })

  test('a salt makes another digest, and each salt its own', () => {
    const tables = { a: [{ contributor: 1, wage: '5.10' }] }
    const digests = [undefined, new Uint8Array(32), new Uint8Array(32).fill(1)].map((salt) =>
      contentDigest(tables, salt === undefined ? {} : { salt }),
    )
    expect(new Set(digests).size).toBe(3)
  })

  test('is what RFC 6962 and RFC 8785 say, computed here by hand with node:crypto', () => {
    const sha256 = (...parts: (string | Uint8Array)[]) => {
      const hash = createHash('sha256')
      for (const part of parts) hash.update(part)
      return hash.digest()
    }
    const zero = Uint8Array.of(0)
    const first = sha256(zero, '{"contributor":0,"member":true,"wage":"5.10"}')
    const second = sha256(zero, '{"contributor":1,"member":null,"wage":"7.00"}')
    const leaves = [first, second].sort(Buffer.compare)
    const root = sha256(Uint8Array.of(1), ...leaves).toString('hex')
    const whole = `{"format":"sealpool/content","salt":"0x","tables":[{"name":"workers","root":"0x${root}","rows":2}],"version":2}`
    expect(
      contentDigest({
        workers: [
          { contributor: 1, wage: '7.00', member: null },
          { contributor: 0, wage: '5.10', member: true },
        ],
      }),
    ).toBe(`sha256:${sha256(whole).toString('hex')}`)
  })
})
