import { expect, it } from 'vitest'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { lackedFiles } from './lacked-files.js'

const [ann, bob] = [addressOfDigit('a'), addressOfDigit('b')]

it('counts questions in which too many validators lack a file, each of them once', () => {
  const files = lackedFiles(10)
  expect(files.timesOf('1')).toEqual({ byAny: 0, byTooMany: 0 })
  const first = files.ask(['1', '2'], 2)
  first('1', ann)
  first('1', ann)
  expect(files.timesOf('1')).toEqual({ byAny: 1, byTooMany: 0 })
  const second = files.ask(['1'], 2)
  second('1', ann)
  second('1', bob)
  expect([files.timesOf('1'), files.timesOf('2')]).toEqual([
    { byAny: 2, byTooMany: 1 },
    { byAny: 0, byTooMany: 0 },
  ])
})

it('forgets a contribution that nobody lacks any more', () => {
  const files = lackedFiles(10)
  files.ask(['1'], 1)('1', ann)
  files.ask(['1'], 1)
  expect(files.timesOf('1')).toEqual({ byAny: 0, byTooMany: 0 })
})

it('remembers so many, the newest', () => {
  const files = lackedFiles(2)
  const note = files.ask(['1', '2', '3'], 1)
  for (const id of ['1', '2', '3']) note(id, ann)
  expect(['1', '2', '3'].map((id) => files.timesOf(id).byAny)).toEqual([0, 1, 1])
})
