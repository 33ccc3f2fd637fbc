import { expect, it } from 'vitest'
import { givenShare } from '../testing/given-share.js'
import { otherPool } from '../testing/share-fixture.js'
import { keptShareBody } from './share-statement.js'

it('what is kept of a share is read in the form that it was taken in, and in no other', async () => {
  const { share } = await givenShare()
  const body = keptShareBody(share)
  expect(body.pools.map(({ pool }) => pool)).toEqual([otherPool.address])
  for (const change of [{ pools: [] }, { job: 'x' }, { more: 1 }]) {
    const { statement } = share
    const changed = { ...share, statement: { ...statement, body: { ...statement.body, ...change } } }
    expect(() => keptShareBody(changed)).toThrow(
      expect.objectContaining({
        code: 'STATE_UNREADABLE',
        message: expect.stringContaining(share.signer) as string,
      }),
    )
  }
})
