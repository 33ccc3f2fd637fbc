import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrate } from '../state/migration.js'
import { notePresented, presentedUntil } from '../state/presented-credential.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import { retentionWorld } from '../testing/retention-world.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'

let kept: StateStore
let world: Awaited<ReturnType<typeof retentionWorld>>
beforeAll(async () => {
  kept = await memoryStores()()
  await migrate(kept)
  world = await retentionWorld(kept)
})
afterAll(async () => {
  await world.close()
  await kept.close()
})

const presented = (digit: string) => ({
  wallet: addressOfDigit(digit),
  pool: world.pool.address,
  condition: digestOfDigit('1'),
  holder: digit,
})

it('presentations that are over go within ten minutes, whether anybody presents another or not', async () => {
  const until = world.timeOf(31)
  await notePresented(
    kept,
    [
      { ...presented('1'), until },
      { ...presented('2'), until: world.timeOf(40) },
    ],
    { now: world.timeOf(1) },
  )
  world.to(30)
  await world.start({}).work()
  expect(await presentedUntil(kept, presented('1'))).toBe(until)
  world.to(31)
  // A node whose clock is behind believes the chain alone no more than its clock.
  await world.start({}, { behind: 86_400 }).work()
  expect(await presentedUntil(kept, presented('1'))).toBe(until)
  const node = world.start({})
  await node.work()
  expect(await presentedUntil(kept, presented('1'))).toBe(0)
  expect(await presentedUntil(kept, presented('2'))).toBe(world.timeOf(40))
  // It is no deletion that anybody is told of.
  expect((await node.collector.read(1)).lists).toEqual([])
})
