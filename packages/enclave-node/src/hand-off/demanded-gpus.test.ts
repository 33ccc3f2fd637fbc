import type { AppraisedGpus } from '@sealpool/attest'
import { gpuLimitNames } from '@sealpool/attest/platform-evidence'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { handOffManifest } from '../testing/hand-off-fixture.js'
import { putOff, visitsOf } from '../testing/hand-off-visits.js'
import { shardWorld } from '../testing/shard-world.js'
import { dealtShards, keptSlots } from './kept-hand-off.js'

// Attesting gives what stands in a peer's `gpu` here; that it is proved for that, `peer/judge-gpus.test.ts` shows.

const world = await shardWorld(4)
const { here } = world
afterAll(() => world.close())
beforeEach(() => world.reset())
const { ownAnswer } = visitsOf(here)
const gpu: AppraisedGpus = {
  confidentialComputing: 'on',
  developerTools: 'off',
  devices: 2,
  policy: `sha256:${'1'.repeat(64)}`,
  limits: [...gpuLimitNames],
}
const rules = { policy: { format: 'sealpool/platform-policy', version: 1 }, keys: [] } as const
const sizes = () => world.runners.map(({ given }) => given.size)

describe('a job that demands GPUs', () => {
  const demanding = () => here.visit(handOffManifest({ gpu: { minimumDevices: 2 } }))

  it.each<[string, AppraisedGpus | undefined]>([
    ['that has proved none', undefined],
    ['that has proved fewer', { ...gpu, devices: 1 }],
  ])('gives nothing to a node %s, before its charge and after it', async (_, shown) => {
    const asked = await demanding()
    here.attest = async () => (shown === undefined ? here.peer : { ...here.peer, gpu: shown })
    const home = here.home({ gpu: rules })
    expect(home.judgesGpus).toBe(true)
    await expect(home.requireRunner(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    for (let round = 0; round < 3; round += 1)
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(here.calls).toEqual([])
    expect(here.errors).toContainEqual(expect.objectContaining({ code: 'PEER_GPUS_NOT_PROVED' }))
  })

  it('gives nothing more to a node that proves them no longer', async () => {
    const asked = await demanding()
    here.attest = async () => ({ ...here.peer, gpu })
    const home = here.home({ gpu: rules })
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    const calls = here.calls.length
    expect(calls).toBeGreaterThan(0)
    here.attest = async () => here.peer
    here.clock.seconds += 61
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(here.calls.length).toBe(calls)
  })

  it('is run by a node that has proved them, and says so', async () => {
    const asked = await demanding()
    here.attest = async () => ({ ...here.peer, gpu })
    const done = await here.finish(here.home({ gpu: rules }), asked)
    expect(done).toMatchObject({ answer: await ownAnswer(asked), handOff: { gpu } })
  })

  it('says nothing of GPUs where the manifest demands none', async () => {
    const home = here.home({ gpu: rules })
    const done = await here.finish(home, await here.visit())
    expect(done === 'home' ? null : done.handOff).not.toHaveProperty('gpu')
    expect(here.home().judgesGpus).toBe(false)
  })
})

describe('a dealt job that demands GPUs', { timeout: 60_000 }, () => {
  const demanding = () => here.visit(world.manifest({ gpu: { minimumDevices: 1 } }))
  const prove = (...indexes: readonly number[]) => {
    for (const index of indexes) {
      const runner = world.runner(index)
      runner.peer = { ...runner.peer, gpu }
    }
  }

  it('is dealt to nobody while fewer nodes than shards prove them', async () => {
    const asked = await demanding()
    prove(0, 1)
    const home = world.home({ gpu: rules })
    await expect(home.requireRunner(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect([sizes(), world.runners.flatMap(({ calls }) => calls)]).toEqual([[0, 0, 0, 0], []])
    expect(await keptSlots(here.store, '1')).toEqual([])
  })

  it('is dealt to those that do, each of which is named with them, also when one is lost', async () => {
    const asked = await demanding()
    prove(0, 2, 3)
    const home = world.home({ gpu: rules })
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    const noted = await dealtShards(here.store, '1')
    expect(noted.map(({ node, gpu: shown }) => [node, shown])).toEqual(
      [0, 2, 3].map((index) => [world.runner(index).peer.statementAddress, gpu]),
    )
    const done = await here.finish(home, asked)
    const shards = done === 'home' ? [] : (done.shards ?? [])
    expect(shards.map(({ gpu: shown }) => shown)).toEqual([gpu, gpu, gpu])
    expect(world.runner(1).given.size).toBe(0)
  })

  it('gives a shard to no node that proves them no longer', async () => {
    const asked = await demanding()
    prove(0, 1, 2)
    const away = world.runner(1)
    const home = world.home({ gpu: rules })
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    const { gpu: _, ...without } = away.peer
    away.peer = without
    const calls = away.calls.length
    here.clock.seconds += 61
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    expect(away.calls.length).toBe(calls)
    expect(here.errors).toContainEqual(expect.objectContaining({ code: 'PEER_GPUS_NOT_PROVED' }))
  })
})
