import { fileURLToPath } from 'node:url'
import {
  accountPseudonym,
  type ContributionContent,
  contentSketch,
  courseSketch,
  createNearDuplicateIndex,
  createRowIndex,
  decideAccount,
  novelty,
  runPoc,
} from '@sealpool/poc'
import { type BundledPoc, bundlePoc } from '@sealpool/poc/bundle'
import { refineBatch } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { saxesReader } from '@sealpool/refine/xml'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Platform, publicKeyOf, type SignedExport, signExport } from './make-signed-export.js'

const limits = { memoryBytes: 2 ** 26, timeMs: 10_000, outputBytes: 1_000_000 }
const wallet = `0x${'ab'.repeat(20)}` as const
const thief = `0x${'cd'.repeat(20)}` as const
const platforms = { receipts: 'receipts.example', fitness: 'rides.example' } as const satisfies Record<
  string,
  Platform
>
type Pool = keyof typeof platforms
const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const pocs = new Map<Pool, BundledPoc>()
let runtime: JobRuntime

beforeAll(async () => {
  for (const pool of ['receipts', 'fitness'] as const)
    pocs.set(pool, await bundlePoc({ entry: path(`./poc/${pool}.ts`) }))
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())

const receipts = `Datum,Summe,Zahlart\n${Array.from({ length: 12 }, (_, index) => `${index + 1}.3.2024,"${index + 2},5${index % 10}",Karte\n`).join('')}`
/** A ride of so many seconds at about `speed` metres a second. */
const ride = (seconds = 30, speed = 7, rate = (second: number) => 100 + (second % 9)) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="canary-bike" xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"><trk><type>cycling</type><trkseg>${Array.from(
    { length: seconds },
    (_, second) =>
      `<trkpt lat="${(52.5 + (second * speed) / 111_200).toFixed(7)}" lon="13.2500000"><time>2024-05-01T06:00:${String(second).padStart(2, '0')}Z</time><extensions><gpxtpx:TrackPointExtension><gpxtpx:hr>${rate(second)}</gpxtpx:hr></gpxtpx:TrackPointExtension></extensions></trkpt>`,
  ).join('')}</trkseg></trk></gpx>`
const files = { receipts, fitness: ride() }
const payload = (pool: Pool, changes: Partial<SignedExport> = {}): SignedExport => ({
  account: 'canary-ada',
  wallet,
  file: files[pool],
  ...changes,
})

function judge(
  pool: Pool,
  bytes: Uint8Array,
  {
    owner = wallet as `0x${string}`,
    holder = undefined as string | undefined,
    uniqueness = (_: ContributionContent) => ({ duplicate: false, novelty: 1 }),
  } = {},
) {
  const poc = pocs.get(pool)
  if (poc === undefined) throw new Error('not bundled')
  return runPoc({
    poc,
    runtime,
    limits,
    contribution: { id: '1', pool: `0x${'11'.repeat(20)}`, owner, mediaType: 'application/json', bytes },
    facts: {
      uniqueness,
      account: (named) => {
        expect(accountPseudonym({ key: new Uint8Array(32).fill(1), ...named })).toMatch(/^[0-9a-f]{64}$/)
        return { accepted: decideAccount({ rule: 'first-wallet', holder, claimant: owner }).accepted }
      },
    },
  })
}
const of = (pool: Pool, changes: Partial<SignedExport> = {}) =>
  signExport(platforms[pool], payload(pool, changes))

describe.each(['receipts', 'fitness'] as const)('the pool of %s', (pool) => {
  test('has the key of its platform in the proof, so that the approved digest covers it', () => {
    const source = pocs.get(pool)?.sources[0]
    const { kty, crv, x, y } = publicKeyOf(platforms[pool])
    expect(source?.kind === 'platform-signature' && source.keys[0]?.jwk).toEqual(
      y === undefined ? { kty, crv, x } : { kty, crv, x, y },
    )
  })

  test('pays for what the platform signed for this wallet, and quotes none of it', async () => {
    const verdict = await judge(pool, of(pool))
    expect(verdict).toMatchObject({ valid: true, score: 1, authenticity: 1, ownership: 1, quality: 1 })
    expect(JSON.stringify(verdict)).not.toMatch(/canary|Karte|52\.5/)
  })

  test('refuses a file that was changed, one of another platform, and one that nobody signed', async () => {
    const signed = JSON.parse(new TextDecoder().decode(of(pool))) as { payload: SignedExport }
    const changed = { ...signed, payload: { ...signed.payload, file: signed.payload.file.replace('2', '3') } }
    const other = signExport(platforms[pool === 'receipts' ? 'fitness' : 'receipts'], payload(pool))
    const bare = { payload: payload(pool) }
    const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
    for (const bytes of [encode(changed), other, encode(bare)]) {
      const verdict = await judge(pool, bytes)
      expect(verdict).toMatchObject({ valid: false, score: 0 })
      expect(verdict.refusal?.code).toMatch(/^(NOT_AUTHENTIC|NOT_SIGNED_BY_THE_PLATFORM)$/)
    }
  })

  test('refuses a stolen file, and an account that another wallet holds', async () => {
    expect((await judge(pool, of(pool), { owner: thief })).refusal?.code).toBe('WRONG_OWNER')
    const again = of(pool, { wallet: thief })
    expect((await judge(pool, again, { owner: thief, holder: wallet })).refusal?.code).toBe(
      'ACCOUNT_OF_ANOTHER_WALLET',
    )
  })

  test('gives the signed file to the refiner, which makes rows of it', async () => {
    const refiner = await bundleRefiner({ entry: path(`./refiner/${pool}.ts`) })
    const { payload: signed } = JSON.parse(new TextDecoder().decode(of(pool))) as { payload: SignedExport }
    const { tables, refused } = await refineBatch({
      refiner,
      runtime,
      limits,
      readers: { xml: saxesReader },
      contributions: [
        {
          id: '1',
          contributor: 1,
          mediaType: 'application/octet-stream',
          name: pool === 'receipts' ? 'receipts.csv' : 'ride.gpx',
          bytes: new TextEncoder().encode(signed.file),
        },
      ],
    })
    expect(refused).toEqual([])
    expect(tables[pool === 'receipts' ? 'receipts' : 'samples']).toHaveLength(pool === 'receipts' ? 12 : 30)
  })
})

/** A pool as the node keeps it: all three indexes, asked before a contribution goes in. */
function makePool(pool: Pool) {
  const key = new Uint8Array(32).fill(1)
  const near = createNearDuplicateIndex()
  const rows = createRowIndex({ key })
  const courses = createNearDuplicateIndex()
  return async (file: string) => {
    let about: ContributionContent | undefined
    const verdict = await judge(pool, of(pool, { file }), {
      uniqueness: (asked) => {
        about = asked
        return { duplicate: false, novelty: novelty({ key, content: asked.content, near, rows, courses }) }
      },
    })
    if (verdict.valid && about !== undefined) {
      near.add(contentSketch({ key, ...about.content }))
      rows.add(about.content)
      const course = courseSketch({ key, ...about.content })
      if (course !== undefined) courses.add(course)
    }
    return verdict
  }
}
/** Shares from 0 to 1, the same ones for a seed. */
function shares(seed: number): () => number {
  let state = seed * 7919 + 5
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
interface Point {
  readonly at: number
  readonly latitude: number
  readonly longitude: number
  readonly rate: number
}
/** Half an hour through one town, on some morning of one month: what its neighbours ride as well. */
function townRide(seed: number): readonly Point[] {
  const next = shares(seed)
  for (let warm = 0; warm < 5; warm++) next()
  let latitude = 52.5 + next() * 0.03
  let longitude = 13.3 + next() * 0.15
  const [north, east] = [next() - 0.5, next() - 0.5]
  const start = Date.UTC(2024, 4, 1 + Math.floor(next() * 28), 7, Math.floor(next() * 60))
  return Array.from({ length: 300 }, (_, index) => {
    latitude += north * 4e-4
    longitude += east * 6e-4
    return { at: start + index * 6000, latitude, longitude, rate: 110 + Math.round(next() * 30) }
  })
}
const gpx = (points: readonly Point[]): string =>
  `<gpx><trk><trkseg>${points.map(({ at, latitude, longitude, rate }) => `<trkpt lat="${latitude.toFixed(7)}" lon="${longitude.toFixed(7)}"><time>${new Date(at).toISOString().slice(0, 19)}Z</time><extensions><gpxtpx:hr>${rate}</gpxtpx:hr></extensions></trkpt>`).join('')}</trkseg></trk></gpx>`

test('fitness: twelve honest rides of one town are new, each, and copies of them are not', async () => {
  const contribute = makePool('fitness')
  for (let rider = 0; rider < 12; rider++) {
    const verdict = await contribute(gpx(townRide(rider)))
    expect(verdict.uniqueness).toBeGreaterThanOrEqual(0.8)
    expect(verdict.score).toBeGreaterThanOrEqual(0.8)
  }
  const known = townRide(3)
  const stranger = townRide(50)
  const low = async (points: readonly Point[], most: number) => {
    const { uniqueness, score } = await contribute(gpx(points))
    expect(uniqueness).toBeLessThan(most)
    expect(score).toBeLessThan(most)
  }
  await low(known, 0.01)
  await low(
    known.map((point) => ({ ...point, rate: point.rate + 3 })),
    0.01,
  )
  await low(known.slice(0, 150), 0.01)
  await low([...known.slice(0, 270), ...stranger.slice(0, 30)], 0.25)
  // Everything a few seconds later and some metres away.
  await low(
    known.map((point) => ({ ...point, at: point.at + 5000, latitude: point.latitude + 1e-4 })),
    0.4,
  )
})

test('receipts: honest ones of the same days and near totals are new, and copies of them are not', async () => {
  const contribute = makePool('receipts')
  const bought = (person: number) => {
    const next = shares(person)
    for (let warm = 0; warm < 5; warm++) next()
    return Array.from(
      { length: 40 },
      (_, index) =>
        `${1 + (index % 28)}.3.2024,"${10 + Math.floor(next() * 10)},${10 + Math.floor(next() * 90)}",Bar\n`,
    )
  }
  const csv = (lines: readonly string[]) => `Datum,Summe,Zahlart\n${lines.join('')}`
  for (let person = 0; person < 12; person++) {
    expect((await contribute(csv(bought(person)))).score).toBeGreaterThanOrEqual(0.9)
  }
  expect(await contribute(csv(bought(3)))).toMatchObject({ valid: false, refusal: { code: 'SCORE_TOO_LOW' } })
  const copy = await contribute(csv([...bought(3).slice(0, 36), ...bought(50).slice(36)]))
  expect(copy.score).toBeLessThanOrEqual(0.1)
})

test('receipts: what is short, impossible or one total over and over is worth less', async () => {
  const lines = (count: number, total: (index: number) => string) =>
    of('receipts', {
      file: `Datum,Summe,Zahlart\n${Array.from({ length: count }, (_, index) => `1.3.2024,"${total(index)}",Bar\n`).join('')}`,
    })
  const whole = (
    await judge(
      'receipts',
      lines(12, (index) => `${index},50`),
    )
  ).quality
  expect(whole).toBe(1)
  expect(
    (
      await judge(
        'receipts',
        lines(3, (index) => `${index},50`),
      )
    ).quality,
  ).toBeLessThan(whole)
  expect(
    (
      await judge(
        'receipts',
        lines(12, () => '4,50'),
      )
    ).quality,
  ).toBeLessThan(whole)
  expect(
    (
      await judge(
        'receipts',
        lines(12, (index) => `${index + 10}0.000,00`),
      )
    ).quality,
  ).toBeLessThan(whole)
  expect(
    (
      await judge(
        'receipts',
        lines(12, () => 'four'),
      )
    ).refusal?.code,
  ).toBe('MALFORMED_RECEIPT')
  expect(
    (await judge('receipts', of('receipts', { file: receipts.replace('Datum', ' Datum') }))).refusal?.code,
  ).toBe('MALFORMED_EXPORT')
})

test('fitness: what nobody rides is worth less', async () => {
  const quality = async (file: string) => (await judge('fitness', of('fitness', { file }))).quality
  expect(await quality(ride(30, 7))).toBe(1)
  expect(await quality(ride(30, 60))).toBeLessThan(0.7)
  expect(await quality(ride(5, 7))).toBeLessThan(1)
  expect(await quality(ride(30, 7, () => 120))).toBeLessThan(1)
  expect(await quality(ride(30, 7, () => 20))).toBeLessThan(1)
  const back = ride().replace('T06:00:20Z', 'T06:00:01Z')
  expect(await quality(back)).toBeLessThan(1)
  const odd = ride().replace('lat="52.5000000"', "lat='52.5000000'")
  expect((await judge('fitness', of('fitness', { file: odd }))).refusal?.code).toBe('MALFORMED_EXPORT')
  const timeless = ride().replace(/<time>[^<]*<\/time>/, '')
  expect((await judge('fitness', of('fitness', { file: timeless }))).refusal?.code).toBe('POINT_WITHOUT_TIME')
})
