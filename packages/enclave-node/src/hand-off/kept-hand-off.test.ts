import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { setMeta } from '../state/meta-table.js'
import { handOffFixture, handOffManifest, runnerKeys, runnerUrl } from '../testing/hand-off-fixture.js'
import { refusal, visitsOf } from '../testing/hand-off-visits.js'
import { handedOffJobs, readHandOff } from './kept-hand-off.js'

const here = await handOffFixture()
afterAll(() => here.close())
beforeEach(() => here.reset())
const { ownAnswer, paths } = visitsOf(here)

describe('a note', () => {
  const file = { bytes: 7, digest: `sha256:${'1'.repeat(64)}` }
  /** As it was written before transfers had keys of their own. */
  const older = (transfer: object | null) =>
    setMeta(
      here.store,
      'hand-off 1',
      JSON.stringify({ attempt: 0, reachedAt: here.clock.seconds, parts: [file], transfer }),
    )
  /** As the release after that wrote it: with what the transfer's keys follow from. */
  const withSecret = (transfer: object | null) =>
    setMeta(
      here.store,
      'hand-off 1',
      JSON.stringify({
        attempt: 0,
        turnAt: here.clock.seconds,
        reachedAt: here.clock.seconds,
        secret: 'A'.repeat(43),
        parts: [file],
        transfer,
        left: [],
      }),
    )
  const transfer = {
    id: 'ab'.repeat(16),
    url: runnerUrl,
    node: runnerKeys.statementAddress,
    keySet: runnerKeys.keySetDigest,
    files: [file, file],
  }

  it.each([
    ['has no key', older, transfer],
    ['has no key', older, null],
    ['has what keys follow from', withSecret, transfer],
    ['has what keys follow from', withSecret, null],
  ] as const)(
    'of an older release, which %s, begins anew, and its transfer is told of its end',
    async (_, write, given) => {
      const asked = await here.visit()
      await write(given)
      const home = here.home()
      expect(await here.finish(home, asked)).toMatchObject({ answer: await ownAnswer(asked) })
      here.calls.length = 0
      await home.end('1')
      const ended = here.calls.map(({ body }) => body['transfer'])
      expect(ended).toHaveLength(given === null ? 1 : 2)
      if (given !== null) expect(ended).toContain(transfer.id)
      expect(await readHandOff(here.store, '1')).toBeUndefined()
    },
  )

  it('of an older release is over at its manifest’s end as any other', async () => {
    const asked = await here.visit(handOffManifest({ fallback: 'home' }))
    await older(transfer)
    here.chain.time = 1_800_000_000
    expect(await here.home().visit(asked)).toBe('home')
    expect(paths()).toEqual(['end'])
  })

  it.each([
    '{',
    'null',
    '{"attempt":0}',
    JSON.stringify({
      attempt: 0,
      turnAt: 1,
      reachedAt: 1,
      secret: 'x',
      parts: null,
      transfer: null,
      left: [],
    }),
    JSON.stringify({ attempt: 0, reachedAt: 1, parts: null, transfer: null, more: 1 }),
  ])('that is damaged (%s) ends that job, and leaves nothing', async (text) => {
    const asked = await here.visit()
    await setMeta(here.store, 'hand-off 1', text)
    await expect(readHandOff(here.store, '1')).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
    const home = here.home()
    await expect(home.visit(asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    await home.end('1')
    expect(await handedOffJobs(here.store)).toEqual([])
    expect(here.calls).toEqual([])
  })
})
