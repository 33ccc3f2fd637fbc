import { expect, test } from 'vitest'
import { table } from './io.js'

test('a cell of a table is one line, whatever a stranger named', () => {
  const rows = table([
    ['pool', 'contract'],
    ['pay\nwages  0xdef', '0xabc'],
    ['a\u001b[31m', '0x1'],
  ])
  expect(rows.split('\n')).toEqual([
    'pool              contract',
    'pay\ufffdwages  0xdef  0xabc',
    'a\ufffd[31m            0x1',
  ])
})
