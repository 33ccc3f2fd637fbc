import { expect, test } from 'vitest'
import { type QueryScope, scopeDigest } from './query-scope.js'

const [one, two] = [`0x${'a'.repeat(40)}`, `0x${'b'.repeat(40)}`]
const scope: QueryScope = {
  purpose: 'research',
  pools: [
    { address: one, tables: [{ name: 'workers', columns: ['sector', 'wage'] }] },
    { address: two, tables: [{ name: 'people', columns: [] }] },
  ],
}

test('the digest of a scope does not depend on how it is written', () => {
  expect(scopeDigest(scope)).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(
    scopeDigest({
      purpose: 'research',
      pools: [
        { address: two.toUpperCase().replace('0X', '0x'), tables: [{ name: 'people', columns: [] }] },
        { address: one, tables: [{ name: 'workers', columns: ['wage'] }] },
        { address: one, tables: [{ name: 'workers', columns: ['sector', 'wage'] }] },
      ],
    }),
  ).toBe(scopeDigest(scope))
})

test('each part of a scope changes its digest', () => {
  const [first, second] = scope.pools
  if (first === undefined || second === undefined) throw new Error('two pools')
  const tables = (name: string, columns: string[]) => ({ ...first, tables: [{ name, columns }] })
  const others: QueryScope[] = [
    { ...scope, purpose: 'teaching' },
    { ...scope, pools: [first] },
    { ...scope, pools: [{ ...first, address: two }, second] },
    { ...scope, pools: [tables('wages', ['sector', 'wage']), second] },
    { ...scope, pools: [tables('workers', ['sector']), second] },
    { ...scope, pools: [tables('workers', ['sector', 'wage', 'year']), second] },
  ]
  expect(new Set([scope, ...others].map(scopeDigest)).size).toBe(others.length + 1)
})
