import { digestOf } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { gpuLimitNames, gpuLimits } from '../gpu/gpu-limits.js'
import { bundle } from '../testing/fixture.js'
import { verifyReceipt } from '../with-platform.js'
import type { AppraisedGpus, ReceiptBody } from './receipt.js'

const digest = digestOf('anything')
const gpu: AppraisedGpus = {
  confidentialComputing: 'on',
  developerTools: 'off',
  devices: 4,
  policy: digest,
  limits: [...gpuLimitNames],
}
const nodeOf = (digit: string): `0x${string}` => `0x${digit.repeat(40)}`
const handOff = (shown?: object) =>
  ({
    node: nodeOf('a'),
    keySet: digest,
    work: digest,
    ...(shown === undefined ? {} : { gpu: shown }),
  }) as NonNullable<ReceiptBody['handOff']>
const shardsOf = (...shown: (AppraisedGpus | undefined)[]) =>
  shown.map((one, index) => ({ ...handOff(one), node: nodeOf(String(index)) }))

/** Checks of a receipt beside a manifest that demands this. */
function checksBeside(demanded: object, change: Partial<ReceiptBody>, outcome: Partial<ReceiptBody> = {}) {
  const given = bundle()
  const manifest = {
    ...given.manifest,
    handOff: { measurements: [], expiresAt: 1, fallback: 'none', ...demanded },
  }
  const { receipt } = bundle((body) => ({
    ...body,
    job: { ...body.job, manifest: digestOf(manifest) },
    ...change,
    ...outcome,
  }))
  return verifyReceipt({ ...given, receipt, manifest }).checks
}
const problems = (...asked: Parameters<typeof checksBeside>) =>
  checksBeside(...asked)
    .filter(({ id, result }) => ['manifest', 'receipt-form'].includes(id) && result === 'fail')
    .map(({ detail }) => detail)
const four = { gpu: { minimumDevices: 4 } }

describe('what a receipt says of GPUs beside its manifest', () => {
  it.each<[string, object, Partial<ReceiptBody>]>([
    ['as many as are demanded', four, { handOff: handOff(gpu) }],
    ['more', { gpu: { minimumDevices: 1 } }, { handOff: handOff(gpu) }],
    ['of each shard', { ...four, shards: 2 }, { shards: shardsOf(gpu, gpu) }],
    ['none where none are demanded', {}, { handOff: handOff() }],
    ['none at home, where the manifest lets it run there', { ...four, fallback: 'home' }, {}],
  ])('passes: %s', (_, demanded, change) => {
    expect(problems(demanded, change)).toEqual([])
  })

  it.each<[string, object, Partial<ReceiptBody>, RegExp]>([
    ['none', four, { handOff: handOff() }, /demands 4 GPUs, and the receipt names 0 of 0xa/],
    ['fewer', four, { handOff: handOff({ ...gpu, devices: 3 }) }, /names 3 of/],
    ['none of one shard', { ...four, shards: 2 }, { shards: shardsOf(gpu, undefined) }, /names 0 of 0x1/],
    ['nobody who ran it', four, {}, /names none/],
    ['some that nobody demanded', {}, { handOff: handOff(gpu) }, /demands none/],
    [
      'some of a shard that nobody demanded',
      { shards: 2 },
      { shards: shardsOf(undefined, gpu) },
      /demands none/,
    ],
    [
      'a demand of another form',
      { gpu: { minimumDevices: 4, model: 'x' } },
      { handOff: handOff(gpu) },
      /no job manifest/,
    ],
  ])('fails: %s', (_, demanded, change, why) => {
    expect(problems(demanded, change)).toEqual([expect.stringMatching(why)])
  })

  it('is told with what such evidence does not prove', () => {
    const check = checksBeside(four, { handOff: handOff(gpu) }).find(({ id }) => id === 'manifest')
    expect(check?.detail).toContain(`${nodeOf('a')} showed 4 GPUs in confidential mode.`)
    for (const limit of gpuLimits) expect(check?.detail).toContain(limit)
    const silent = checksBeside({}, { handOff: handOff() }).find(({ id }) => id === 'manifest')
    expect(silent?.detail).not.toMatch(/GPU/)
  })
})

describe('the form of what a receipt says of GPUs', () => {
  it.each<[string, object]>([
    ...Object.keys(gpu).map((name): [string, object] => [
      `without ${name}`,
      Object.fromEntries(Object.entries(gpu).filter(([one]) => one !== name)),
    ]),
    ['confidential computing off', { ...gpu, confidentialComputing: 'off' }],
    ['developers’ tools on', { ...gpu, developerTools: 'on' }],
    ['no device', { ...gpu, devices: 0 }],
    ['no limit', { ...gpu, limits: [] }],
    ['an unknown limit', { ...gpu, limits: ['none'] }],
    ['another field', { ...gpu, more: 1 }],
  ])('is refused: %s', (_, shown) => {
    expect(problems(four, { handOff: handOff(shown) })).toHaveLength(1)
    expect(problems({ ...four, shards: 2 }, { shards: [handOff(shown), ...shardsOf(gpu)] })).toHaveLength(1)
  })
})
