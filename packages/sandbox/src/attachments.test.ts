import { expect, test } from 'vitest'
import { checkAttachments } from './attachments.js'

test.each([null, 'abc', 5, { length: 1, 0: 'x' }, [5], [undefined], ['a\0'], ['\ud800'], Array(65).fill('')])(
  'attachments that are %j are refused by a typed error',
  (given) => {
    expect(() => checkAttachments(given as readonly string[])).toThrow(
      expect.objectContaining({ name: 'SandboxError', code: 'INPUT_NOT_JSON' }),
    )
  },
)
test('no attachments are none', () => {
  expect(checkAttachments(undefined)).toEqual([])
  expect(checkAttachments(['', 'é😀'])).toEqual(['', 'é😀'])
})
