import { parseJobManifest } from '@sealpool/compute'
import { encodeBase64Url } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { handOffFixture, handOffManifest } from '../testing/hand-off-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { part, transferCalls } from '../testing/transfer-calls.js'
import type { HandOffVisit } from './hand-off-visit.js'
import { heldShards } from './held-shards.js'
import type { Leash } from './leash.js'

const here = await handOffFixture()
let asked: HandOffVisit
afterAll(() => here.close())
beforeEach(async () => {
  await here.reset()
  asked = await here.visit(handOffManifest({ shards: 3 }))
})
const { begin, sealLeash, give, outcomeOf } = transferCalls(here, () => asked)
const runOf = async (change: Partial<Leash>) => {
  const transfer = await begin()
  await give(transfer.id, [await sealLeash(transfer, change), part])
  return outcomeOf(transfer.id)
}
const answered = { state: 'answered' }
const refused = (code: string) => ({ state: 'refused', code })
const noise = encodeBase64Url(new Uint8Array(32).fill(2))

describe('a shard that a runner is given', () => {
  it.each<[string, Partial<Leash>, object]>([
    ['that the manifest names is counted', { shard: { index: 2, of: 3 } }, answered],
    ['of another number of shards is refused', { shard: { index: 0, of: 2 } }, refused('SHARD_DIFFERS')],
    ['that is the whole job is refused', {}, refused('SHARD_DIFFERS')],
    ['that there is not is refused', { shard: { index: 3, of: 3 } }, refused('LEASH_INVALID')],
    [
      'with the seed of the noise is refused',
      { shard: { index: 0, of: 3 }, noise },
      refused('LEASH_INVALID'),
    ],
  ])('%s', async (_, change, state) => {
    expect(await runOf(change)).toEqual(state)
  })

  it('is refused where the manifest names none', async () => {
    asked = await here.visit(handOffManifest({}, { salt: 'fedcba9876543210' }))
    expect(await runOf({ shard: { index: 0, of: 3 } })).toEqual(refused('SHARD_DIFFERS'))
  })

  it('is the only one of its job, however often it comes', async () => {
    expect(await runOf({ shard: { index: 1, of: 3 } })).toEqual(answered)
    expect(await runOf({ shard: { index: 0, of: 3 } })).toEqual(refused('SHARD_HELD'))
    expect(await runOf({ shard: { index: 1, of: 3 } })).toEqual(answered)
  })

  it('is refused of a plan whose parts do not add up', async () => {
    const manifest = parseJobManifest({
      ...handOffManifest({ shards: 3 }),
      query: { sql: 'SELECT count(DISTINCT sector) AS n FROM pay.workers' },
    })
    // The home node would not get so far.
    const { handOff: _, ...whole } = manifest
    const { planned } = await here.visit(parseJobManifest(whole))
    asked = { ...asked, planned, manifest, job: await here.putOnChain(manifest) }
    expect(await runOf({ shard: { index: 0, of: 3 } })).toEqual(refused('PLAN_DIFFERS'))
  })
})

describe('what a runner remembers of shards', () => {
  it('is one of each job and manifest, until there are too many', () => {
    const held = heldShards()
    const of = (job: string, digit = '1') => ({ job, manifest: digestOfDigit(digit) })
    expect(held.take(of('1'), { index: 0, of: 2 })).toBe(true)
    expect(held.take(of('1'), { index: 1, of: 2 })).toBe(false)
    expect(held.take(of('2'), { index: 1, of: 2 })).toBe(true)
    expect(held.take(of('1', '2'), { index: 1, of: 2 })).toBe(true)
    for (let job = 3; job <= 10_000; job += 1) held.take(of(String(job)), { index: 0, of: 2 })
    // The oldest is forgotten first.
    expect(held.take(of('2'), { index: 0, of: 2 })).toBe(false)
    expect(held.take(of('1'), { index: 1, of: 2 })).toBe(true)
  })
})
