import { defineRefiner } from '@sealpool/refine/define'

/** How often the getter of a row was asked. */
let reads = 0

/** What code may give for a row, by the field `kind`. */
const odd: Readonly<Record<string, (n: number) => unknown>> = {
  plain: (n) => ({ n }),
  undefined: (n) => ({ n, text: undefined }),
  class: (n) =>
    new (class {
      n = n
    })(),
  json: (n) => ({ toJSON: () => ({ n }) }),
  hidden: (n) => Object.defineProperty({ n }, 'text', { value: 'x' }),
  'hidden and more': (n) => Object.defineProperty({ n, more: 1 }, 'text', { value: 'x' }),
  reversed: (n) => ({ text: 'x', n }),
  getter: (n) => ({
    get n() {
      reads += 1
      return n + reads
    },
  }),
  inherited: (n) => Object.assign(Object.create({ text: 'x' }), { n }),
  bare: (n) => Object.assign(Object.create(null), { n }),
  unknown: (n) => ({ n, more: 1 }),
  none: () => null,
  nan: () => ({ n: Number.NaN }),
  list: () => ({ n: [1] }),
  large: () => ({ n: 1e300 }),
  half: () => ({ n: 0.5 }),
  truth: () => ({ n: true }),
  surrogate: (n) => ({ n, text: '\ud800' }),
  long: (n) => ({ n, text: 'x'.repeat(1025) }),
  infinite: () => ({ n: Number.POSITIVE_INFINITY }),
  large_integer: () => ({ n: 1n }),
  symbol: (n) => ({ n, text: Symbol('x') }),
  function: (n) => ({ n, text: () => 'x' }),
  wrapped: (n) => ({ n, text: new String('x') }),
  speaking: (n) => ({ n, text: { toJSON: () => 'x' } }),
  mute: (n) => ({ n, text: { toJSON: () => Number.NaN } }),
  failing: (n) => ({
    n,
    text: {
      toJSON: () => {
        throw new Error('x')
      },
    },
  }),
  'null as a word': (n) => ({ n, text: 'null' }),
  'a bracket': (n) => ({ n, text: '{[' }),
  'inherited by all': (n) => {
    Object.defineProperty(Object.prototype, 'text', { value: 'x', enumerable: true, configurable: true })
    return { n }
  },
  'lists that speak': (n) => {
    Object.defineProperty(Array.prototype, 'toJSON', { value: () => [], configurable: true })
    return { n }
  },
  throws: () => {
    throw new Error('x')
  },
}

export default defineRefiner({
  id: 'odd-rows',
  version: '1.0.0',
  source: 'rows',
  tables: {
    odds: {
      description: 'd',
      columns: {
        n: { type: 'integer', description: 'd' },
        text: { type: 'text', nullable: true, description: 'd' },
      },
    },
    others: { description: 'd', columns: { at: { type: 'integer', description: 'd' } } },
  },
  map: (row, { index }) => ({
    odds: [odd[String(row['kind'])]?.(Number(row['n'])) as { n: number; text: null }],
    others: index % 2 === 0 ? [{ at: index }, { at: -index }] : [],
  }),
})
