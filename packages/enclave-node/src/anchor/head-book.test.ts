import { expect, it } from 'vitest'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { type GivenHeads, headBookSchema, standingOfHead, withSent } from './head-book.js'

const peer = addressOfDigit('1')
const markOfVersion = (version: number) =>
  ({
    line: 0,
    version,
    digest: `sha256:${version.toString(16).padStart(64, '0')}`,
  }) as const
const standing = (given: GivenHeads, version: number) =>
  standingOfHead({ line: 0, peers: { [peer]: given } }, peer, { mark: markOfVersion(version) })

it('knows every head that was sent since the one that a peer has, until the peer has another', () => {
  let given: GivenHeads = { kept: markOfVersion(1), sent: markOfVersion(3) }
  for (const version of [5, 7])
    given = withSent(given, { has: markOfVersion(1), lost: false }, markOfVersion(version))
  expect([1, 3, 5, 7].map((version) => standing(given, version))).toEqual(Array(4).fill('known'))
  expect([2, 4, 6, 8].map((version) => standing(given, version))).toEqual(Array(4).fill('ahead'))
  const next = withSent(given, { has: markOfVersion(5), lost: false }, markOfVersion(9))
  expect(next).toEqual({ kept: markOfVersion(5), sent: markOfVersion(9) })
  expect([5, 7, 9].map((version) => standing(next, version))).toEqual(['known', 'ahead', 'known'])
})

it('remembers no more than its form allows: afterwards the peer counts as one that may have lost something', () => {
  let given: GivenHeads = { kept: markOfVersion(1), sent: markOfVersion(2) }
  let most = 0
  for (let version = 3; version < 150; version += 1) {
    const lost = standing(given, 1) === 'behind'
    given = withSent(given, { has: markOfVersion(1), lost }, markOfVersion(version))
    most = Math.max(most, given.late?.length ?? 0)
    expect(headBookSchema.safeParse({ line: 0, peers: { [peer]: given } }).success).toBe(true)
  }
  expect(most).toBe(64)
  expect([1, 2, 100, 148, 149].map((version) => standing(given, version))).toEqual([
    ...Array(3).fill('behind'),
    ...Array(2).fill('known'),
  ])
  expect(standing(given, 150)).toBe('ahead')
})

it('reads books of the release before this one, and writes them so while every head is answered', () => {
  const older = { kept: markOfVersion(1), sent: markOfVersion(3) }
  expect(headBookSchema.parse({ line: 2, peers: { [peer]: older } }).peers).toEqual({ [peer]: older })
  expect(withSent(older, { has: markOfVersion(3), lost: false }, markOfVersion(5))).toEqual({
    kept: markOfVersion(3),
    sent: markOfVersion(5),
  })
})
