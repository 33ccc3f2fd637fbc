import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { auditVerdicts } from './audit-verdicts.js'
import type { OpenedContribution } from './open-contribution.js'
import { overwriteOpened } from './overwrite-opened.js'
import { refineNext } from './refine-batch.js'

/** Everything that was opened, as whoever opened it holds it, and how many bytes of each were not zero then. */
const opened: { readonly bytes: Uint8Array; readonly filled: boolean }[] = []
vi.mock(import('./open-stored.js'), async (original) => {
  const { openStored } = await original()
  return {
    openStored: async (...asked: Parameters<typeof openStored>) => {
      const one = await openStored(...asked)
      if (one.kind === 'opened')
        opened.push({ bytes: one.bytes, filled: one.bytes.some((byte) => byte !== 0) })
      return one
    },
  }
})

const newStore = memoryStores()
let world: Awaited<ReturnType<typeof judgingWorld>>
beforeAll(async () => {
  world = await judgingWorld(newStore)
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.reset()
  opened.length = 0
})

/** How many were opened, and how many of them still hold anything. */
const left = () => {
  expect(opened.every(({ filled }) => filled)).toBe(true)
  return [opened.length, opened.filter(({ bytes }) => bytes.some((byte) => byte !== 0)).length]
}
const record = () => world.context().store.query(`update contributions set state = 'recorded'`)

describe('the bytes of an opened contribution are overwritten', () => {
  it('when it is judged, accepted or not', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2), expires: 0 })
    await world.contribute('3', { days: daysOf(1) })
    await world.judge()
    expect(left()).toEqual([3, 0])
    // It was compared before: the copy is one.
    expect(await world.verdictOn('3')).toMatchObject({ refusal: { code: 'DUPLICATE_CONTENT' } })
  })

  it('when judging fails', async () => {
    await world.contribute('1', { days: daysOf(1) })
    world.runIn({ ...world.runtime, run: () => Promise.reject(new Error('the machine')) })
    await expect(world.judge()).rejects.toThrow()
    expect(left()).toEqual([1, 0])
  })

  it('when it is judged once more by chance', async () => {
    world.rule({ auditShare: 1 })
    await world.contribute('1', { days: daysOf(1), owner: addressOfDigit('a') })
    await world.judge()
    await record()
    opened.length = 0
    const ingest = { ...world.context(), now: () => 2_000_000_000 }
    expect(await auditVerdicts({ ingest, audit: { write: () => undefined } }, world.pool())).toBe(1)
    expect(left()).toEqual([1, 0])
  })

  it('when it is refined, or cannot be', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    await record()
    opened.length = 0
    world.runIn({ ...world.runtime, run: () => Promise.reject(new Error('the machine')) })
    const limits = { ...world.context().limits, refiner: world.context().limits.proof }
    const settings = { ...world.context().settings, refinementSize: 10 }
    await expect(refineNext({ ...world.context(), limits, settings }, world.pool())).rejects.toThrow()
    expect(left()).toEqual([1, 0])
  })
})

it('what was not opened has none', () => {
  const later: OpenedContribution = { kind: 'later', reason: 'BLOB_MISSING' }
  overwriteOpened(later)
  expect(later).toEqual({ kind: 'later', reason: 'BLOB_MISSING' })
})
