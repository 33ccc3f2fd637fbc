import { expect, test } from 'vitest'
import { verifyLedgerChain } from './ledger-chain.js'
import { hashLedgerEntry, type LedgerEntry, nextEntry, openingEntry } from './ledger-entry.js'

const charge = (job: string) => ({
  pool: 'pay',
  job,
  leaves: ['pay.workers'],
  charge: { epsilon: 2, delta: 1e-7 },
})
const first = openingEntry('pay', { accounting: 'basic', epsilon: 6, delta: 1e-6 })
const second = nextEntry(first, charge('1'))
const third = nextEntry(second, charge('2'))
/** A forger who also recomputes hashes and links. */
const rehashed = (entry: LedgerEntry): LedgerEntry => ({ ...entry, hash: hashLedgerEntry(entry) })

const cases: readonly [name: string, place: string, entries: readonly LedgerEntry[]][] = [
  ['no entries', 'entries', []],
  ['a changed amount', 'entries[1].hash', [first, { ...second, charge: { epsilon: 1, delta: 1e-7 } }, third]],
  ['a removed entry', 'entries[1].previous', [first, third]],
  ['a missing opening', 'entries[0].previous', [second, third]],
  ['a version that skips', 'entries[1].version', [first, rehashed({ ...second, version: 2 })]],
  [
    'a spend that is smaller than its charge',
    'entries[1].state',
    [first, rehashed({ ...second, state: { ...second.state, primarySpent: '1' } })],
  ],
  [
    'a raised total',
    'entries[1].state',
    [first, rehashed({ ...second, state: { ...second.state, primaryTotal: '9000000000' } })],
  ],
  [
    'an opening with more than its totals',
    'entries[0].state',
    [rehashed({ ...first, state: { ...first.state, primaryTotal: '7000000000' } })],
  ],
  ['an opening that names a job', 'entries[0].state', [rehashed({ ...first, job: 'free' })]],
  [
    'an opening with a charge',
    'entries[0].state',
    [rehashed({ ...first, charge: { epsilon: 1, delta: 0 } })],
  ],
  ['a charge without a job', 'entries[1].job', [first, rehashed({ ...second, job: null })]],
  ['another pool in the chain', 'entries[1].pool', [first, rehashed({ ...second, pool: 'people' })]],
  ['a job charged twice', 'entries[2].job', [first, second, rehashed({ ...third, job: '1' })]],
  ['an entry without charge', 'entries[1].charge', [first, rehashed({ ...second, charge: null })]],
  [
    'a spend past the total',
    'entries[1].state',
    [
      first,
      rehashed({
        ...second,
        charge: { epsilon: 7, delta: 1e-7 },
        state: { ...second.state, primarySpent: '7000000000' },
      }),
    ],
  ],
]

test.each(cases)('refuses %s', (_, place, entries) => {
  expect(() => verifyLedgerChain(entries)).toThrow(
    expect.objectContaining({ code: 'LEDGER_CHAIN_BROKEN', place }),
  )
})

test('refuses a chain that stops before the anchored head', () => {
  expect(verifyLedgerChain([first, second, third], { head: third.hash }).epsilonSpent).toBe('4')
  expect(() => verifyLedgerChain([first, second], { head: third.hash })).toThrow(
    expect.objectContaining({ code: 'LEDGER_CHAIN_BROKEN' }),
  )
})

test('the hash tells apart entries whose fields join to the same text', () => {
  const split = (leaves: string[]) => hashLedgerEntry({ ...second, leaves })
  expect(split(['ab', 'c'])).not.toBe(split(['a', 'bc']))
  expect(split(['a', 'b'])).not.toBe(split(['a,b']))
})

test('the hash covers every field', () => {
  const changed: LedgerEntry[] = [
    { ...second, job: '9' },
    { ...second, previous: third.hash },
    { ...second, charge: { epsilon: 2, delta: 1e-8 } },
    { ...second, charge: { epsilon: 2, delta: 1e-7, zcdp: { rho: 1, delta: 0 } } },
    { ...second, state: { ...second.state, deltaSpent: '1' } },
    { ...second, state: { ...second.state, accounting: 'zcdp' } },
  ]
  for (const entry of changed) expect(hashLedgerEntry(entry)).not.toBe(second.hash)
})

test('an entry for another pool is not appended', () => {
  expect(() => nextEntry(first, { ...charge('1'), pool: 'people' })).toThrow(
    expect.objectContaining({ place: 'pool' }),
  )
  expect(() => nextEntry(first, { ...charge('') })).toThrow(expect.objectContaining({ place: 'job' }))
  expect(() => nextEntry(first, { ...charge('1'), leaves: [] })).toThrow(
    expect.objectContaining({ place: 'leaves' }),
  )
})
