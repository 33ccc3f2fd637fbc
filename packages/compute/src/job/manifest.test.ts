import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ComputeError } from '../errors.js'
import { changed, manifestJson } from '../testing/wage-job.js'
import { manifestDigest, parseJobManifest } from './manifest.js'

const query = () => ({ ...manifestJson(), kind: 'query', query: { sql: 'select 1' }, compute: null })

test('compute and query manifests are parsed unchanged', () => {
  expect(parseJobManifest(manifestJson())).toEqual(manifestJson())
  expect(parseJobManifest(query())).toEqual(query())
})

test('the digest is that of the content, whatever the order of keys', () => {
  const manifest = parseJobManifest(manifestJson())
  const reversed = Object.fromEntries(Object.entries(manifestJson()).reverse())
  expect(manifestDigest(manifest)).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(manifestDigest(parseJobManifest(reversed))).toBe(manifestDigest(manifest))
  expect(manifestDigest(parseJobManifest(changed(manifestJson(), 'salt', 'fedcba9876543210')))).not.toBe(
    manifestDigest(manifest),
  )
})

const handOff = { measurements: [`0x${'ab'.repeat(32)}`], expiresAt: 1_800_000_000, fallback: 'none' }

test('a manifest says where it may be handed off, under a digest of its own; without it there is no trace of the field', () => {
  const handed = { ...query(), handOff }
  expect(parseJobManifest(handed)).toEqual(handed)
  expect(parseJobManifest(query())).not.toHaveProperty('handOff')
  const digests = [query(), handed, { ...query(), handOff: { ...handOff, expiresAt: 1_800_000_001 } }].map(
    (one) => manifestDigest(parseJobManifest(one)),
  )
  expect(new Set(digests).size).toBe(3)
})

test.each([
  ['a hand-off to nobody', { measurements: [] }, 'handOff.measurements'],
  ['a measurement in mixed case', { measurements: [`0x${'Ab'.repeat(32)}`] }, 'handOff.measurements[0]'],
  ['a measurement of another length', { measurements: [`0x${'ab'.repeat(48)}`] }, 'handOff.measurements[0]'],
  [
    'a measurement twice',
    { measurements: [...handOff.measurements, ...handOff.measurements] },
    'handOff.measurements',
  ],
  ['a hand-off without end', { expiresAt: undefined }, 'handOff.expiresAt'],
  ['an end that is no time', { expiresAt: 0 }, 'handOff.expiresAt'],
  ['another fallback', { fallback: 'anybody' }, 'handOff.fallback'],
  ['an unknown field of a hand-off', { to: 'https://node.example' }, 'handOff'],
  ['one shard, which is none', { shards: 1 }, 'handOff.shards'],
  ['more shards than there may be', { shards: 17 }, 'handOff.shards'],
  ['a part of a shard', { shards: 2.5 }, 'handOff.shards'],
  ['a demand of GPUs without a number', { gpu: {} }, 'handOff.gpu.minimumDevices'],
  ['a demand of no GPU', { gpu: { minimumDevices: 0 } }, 'handOff.gpu.minimumDevices'],
  [
    'a demand of more GPUs than one token names',
    { gpu: { minimumDevices: 65 } },
    'handOff.gpu.minimumDevices',
  ],
  ['a mode of one’s own', { gpu: { minimumDevices: 1, developerTools: 'on' } }, 'handOff.gpu'],
  ['GPUs that are null', { gpu: null }, 'handOff.gpu'],
  ['shards of a job that may run at home in the end', { shards: 3, fallback: 'home' }, 'handOff.fallback'],
])('refuses %s and names the place', (_, change, place) => {
  expect(() => parseJobManifest({ ...query(), handOff: { ...handOff, ...change } })).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place }),
  )
})

test('a query may be dealt to several nodes, under a digest of its own; a computation may not', () => {
  const dealt = { ...query(), handOff: { ...handOff, shards: 3 } }
  expect(parseJobManifest(dealt)).toEqual(dealt)
  const digests = [handOff, { ...handOff, shards: 2 }, { ...handOff, shards: 3 }].map((one) =>
    manifestDigest(parseJobManifest({ ...query(), handOff: one })),
  )
  expect(new Set(digests).size).toBe(3)
  expect(() => parseJobManifest({ ...manifestJson(), handOff: { ...handOff, shards: 3 } })).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place: 'handOff.shards' }),
  )
})

test('a hand-off may demand GPUs, under a digest of its own', () => {
  const demanding = (minimumDevices: number) => ({
    ...query(),
    handOff: { ...handOff, gpu: { minimumDevices } },
  })
  expect(parseJobManifest(demanding(8))).toEqual(demanding(8))
  const digests = [{ ...query(), handOff }, demanding(1), demanding(8)].map((one) =>
    manifestDigest(parseJobManifest(one)),
  )
  expect(new Set(digests).size).toBe(3)
})

test('a hand-off that is null or undefined is no manifest', () => {
  for (const nothing of [null, undefined]) {
    expect(() => parseJobManifest({ ...query(), handOff: nothing })).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', place: 'handOff' }),
    )
  }
})

const key = { kem: 'x25519', publicKey: 'A'.repeat(43) }
const other = (digit: string, view: object, resultKey: object | null = key) => ({
  address: `0x${digit.repeat(40)}`,
  resultKey,
  view,
})
const views = {
  consumer: { kind: 'whole' },
  others: [
    other('4', { kind: 'columns', columns: ['mean', 'n'] }),
    other('5', { kind: 'count' }),
    other('6', { kind: 'receipt' }, null),
  ],
}

test('a manifest says who gets which view, under a digest of its own; without it there is no trace of the field', () => {
  const viewed = { ...query(), views }
  expect(parseJobManifest(viewed)).toEqual(viewed)
  expect(parseJobManifest(query())).not.toHaveProperty('views')
  const digests = [query(), viewed, { ...query(), views: { ...views, others: [] } }].map((one) =>
    manifestDigest(parseJobManifest(one)),
  )
  expect(new Set(digests).size).toBe(3)
})

test.each([
  ['an unknown kind of view', { consumer: { kind: 'rows' } }, 'views.consumer.kind'],
  ['a view without a kind', { consumer: {} }, 'views.consumer.kind'],
  ['a view of no columns', { consumer: { kind: 'columns', columns: [] } }, 'views.consumer.columns'],
  ['a column twice', { consumer: { kind: 'columns', columns: ['a', 'a'] } }, 'views.consumer.columns'],
  ['a count with columns', { consumer: { kind: 'count', columns: ['a'] } }, 'views.consumer'],
  ['a view without a key', { others: [other('4', { kind: 'count' }, null)] }, 'views.others[0].resultKey'],
  ['a key for a receipt', { others: [other('4', { kind: 'receipt' })] }, 'views.others[0].resultKey'],
  [
    'a recipient twice',
    { others: [other('4', { kind: 'count' }), other('4', { kind: 'whole' })] },
    'views.others[1].address',
  ],
  [
    'the consumer among the others',
    { others: [{ ...other('4', { kind: 'whole' }), address: manifestJson().consumer.address }] },
    'views.others[0].address',
  ],
  [
    'more than fifteen others',
    { others: Array.from({ length: 16 }, (_, place) => other(place.toString(16), { kind: 'count' })) },
    'views.others',
  ],
  ['nobody’s view', { consumer: undefined }, 'views.consumer'],
])('refuses %s and names the place', (_, change, place) => {
  expect(() => parseJobManifest({ ...query(), views: { ...views, ...change } })).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place }),
  )
})

test('a job whose result has views is not handed off', () => {
  expect(() => parseJobManifest({ ...query(), views, handOff })).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place: 'handOff' }),
  )
})

test.each([
  ['an unknown field', 'extra', 1, '$'],
  ['another version', 'version', 2, 'version'],
  ['an address in mixed case', 'pools.0.address', `0x${'Ab'.repeat(20)}`, 'pools[0].address'],
  ['a pool twice', 'pools.1.address', `0x${'11'.repeat(20)}`, 'pools[1].address'],
  ['two pools of one name', 'pools.1.name', 'pay', 'pools[1].name'],
  ['no pools', 'pools', [], 'pools'],
  ['a query in a compute job', 'query', { sql: 'select 1' }, 'query'],
  ['a compute job without computation', 'compute', null, 'compute'],
  ['a free job', 'privacy.epsilon', 0, 'privacy.epsilon'],
  ['a large delta', 'privacy.delta', 0.1, 'privacy.delta'],
  ['a short result key', 'consumer.resultKey.publicKey', 'AAAA', 'consumer.resultKey.publicKey'],
  ['a short salt', 'salt', 'abc', 'salt'],
  ['no purpose', 'purpose', '', 'purpose'],
])('refuses %s and names the place', (_, path, value, place) => {
  expect(() => parseJobManifest(changed(manifestJson(), path, value))).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', place }),
  )
})

test('any JSON gives a manifest or a typed error', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom('pools', 'compute', 'query', 'privacy', 'consumer'),
      (value, path) => {
        for (const input of [value, changed(manifestJson(), path, value)]) {
          try {
            parseJobManifest(input)
          } catch (error) {
            expect(error).toBeInstanceOf(ComputeError)
          }
        }
      },
    ),
  )
})
