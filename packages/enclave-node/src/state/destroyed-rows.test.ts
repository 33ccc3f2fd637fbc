import { expect, it } from 'vitest'
import { destroys } from './destroyed-rows.js'
import type { KnownRows } from './known-rows.js'

const row = { version: 1, weight: 1n }
const note = (name: string) => JSON.stringify([name])
const known: KnownRows = new Map([
  ['chain_blocks', new Map([['["c", 1]', row]])],
  ['verdicts', new Map([['[1]', row]])],
  ['verdict_disputes', new Map([['[1]', row]])],
  [
    'meta',
    new Map(
      ['taken-shares 1', 'presented credential 0xa', 'share 1', 'hand-off 1', 'rewrapped header 1'].map(
        (name) => [note(name), row],
      ),
    ),
  ],
])

it.each<[boolean, string, string, string | null]>([
  [true, 'verdicts', '[1]', null],
  [false, 'verdicts', '[1]', '{}'],
  [false, 'verdicts', '[2]', null],
  [false, 'chain_blocks', '["c", 1]', null],
  // Whatever is deleted besides is noted here.
  [true, 'deletions', '[1]', '{}'],
  // What two validators said goes, and that they did stays.
  [true, 'verdict_disputes', '[1]', '{}'],
  [false, 'verdict_disputes', '[2]', '{}'],
  [true, 'meta', note('share 1'), null],
  [true, 'meta', note('hand-off 1'), null],
  [true, 'meta', note('rewrapped header 1'), null],
  [false, 'meta', note('taken-shares 1'), null],
  [false, 'meta', note('presented credential 0xa'), null],
  [false, 'meta', note('share 1'), '{}'],
])('%s: %s %s as %s', (expected, table, key, after) => {
  expect(destroys({ table, key, row: after }, known)).toBe(expected)
})
