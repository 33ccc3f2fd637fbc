import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { refineBatch } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { postalReader } from '@sealpool/refine/mail'
import { saxesReader } from '@sealpool/refine/xml'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'

/** Valid exports made for the conformance cases; real ones are nobody's to publish. */
const exports = (await import(
  pathToFileURL(fileURLToPath(new URL('../../../conformance/refine/exports.mjs', import.meta.url))).href
)) as { activities(): Record<string, Uint8Array>; healthExport: string; mailbox: string }
const { tar } = (await import(
  pathToFileURL(fileURLToPath(new URL('../../../conformance/refine/tar.mjs', import.meta.url))).href
)) as { tar(members: readonly object[]): Uint8Array }

async function refineAny(refiner: string, name: string, bytes: Uint8Array | string) {
  const runtime = await createQuickJsRuntime()
  const entry = fileURLToPath(new URL(`./refiner/${refiner}.ts`, import.meta.url))
  try {
    return await refineBatch({
      refiner: await bundleRefiner({ entry }),
      runtime,
      limits: { memoryBytes: 64e6, timeMs: 5_000, outputBytes: 1e6 },
      readers: { xml: saxesReader, mime: postalReader },
      contributions: [
        {
          id: '1',
          contributor: 1,
          mediaType: 'application/octet-stream',
          name,
          bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
        },
      ],
    })
  } finally {
    await runtime.close()
  }
}

async function refine(...given: Parameters<typeof refineAny>) {
  const batch = await refineAny(...given)
  expect(batch.refused).toEqual([])
  return batch
}

describe('refiners of exports that people have', () => {
  test('a ride is the same rows as GPX, TCX and FIT, with coarse places', async () => {
    const digests = new Set<string>()
    for (const [name, bytes] of Object.entries(exports.activities())) {
      const { tables, contentDigest } = await refine('fitness', name, bytes)
      digests.add(contentDigest)
      expect(tables['samples']?.[0]).toEqual({
        contributor: 1,
        at: '2024-05-01T06:00:00Z',
        cell: 'u336t',
        altitude: '35',
        heart_rate: 100,
        sport: 'cycling',
      })
    }
    expect(digests.size).toBe(1)
  })

  test('Apple Health comes in one set of units', async () => {
    const { tables } = await refine('health', 'export.xml', exports.healthExport)
    expect(tables['measurements']).toEqual([
      { contributor: 1, kind: 'heart_rate', start: '2024-05-01T06:00:00Z', value: '62.000' },
      { contributor: 1, kind: 'walking_distance', start: '2024-05-01T07:00:00Z', value: '0.805' },
    ])
  })

  test('mail leaves no text and no address', async () => {
    const { tables } = await refine('mail', 'all.mbox', exports.mailbox)
    expect(tables['messages']?.map(({ at, provider, recipients }) => [at, provider, recipients])).toEqual([
      ['2024-05-01T08:00:00Z', 'example.org', 2],
      [null, 'example.org', 1],
    ])
    expect(JSON.stringify(tables)).not.toMatch(/@|Caf|picture/)
  })

  test('receipts in German notation', async () => {
    const csv = 'Datum,Summe,Zahlart\n29.02.2024,"1.234,50",Karte\n1.3.2024,"3,10",\n'
    const { tables } = await refine('receipts', 'receipts.csv', csv)
    expect(tables['receipts']).toEqual([
      { contributor: 1, day: '2024-02-29', total: '1234.50', card: true },
      { contributor: 1, day: '2024-03-01', total: '3.10', card: null },
    ])
  })

  test('an archive of the form of Google Takeout: what is known is read, everything else is left alone', async () => {
    const utf8 = (text: string) => new TextEncoder().encode(text)
    const contents = {
      'Takeout/archive_browser.html': utf8('<html>canary</html>'),
      'Takeout/Fit/Daily activity metrics/Daily activity metrics.csv': utf8(
        'Date,Move Minutes count,Calories (kcal),Distance (m),Step count\n2024-05-01,61,1860.4,5120.75,8123\n2024-05-02,,1500.0,,\n2024-05-03,,,x,many\n',
      ),
      // One row per quarter of an hour: another file of the same folder.
      'Takeout/Fit/Daily activity metrics/2024-05-01.csv': utf8('Start time,Step count\n06:00,12\n'),
      'Takeout/Location History (Timeline)/Records.json': utf8(
        '{"locations":[{"latitudeE7":525000000,"longitudeE7":132500000,"accuracy":12,"timestamp":"2024-05-01T06:00:00.123Z"},{"timestamp":"2024-05-01T07:00:00Z"}]}',
      ),
      'Takeout/YouTube and YouTube Music/history/watch-history.json': utf8(
        JSON.stringify([
          {
            header: 'YouTube',
            title: 'Watched canary',
            titleUrl: 'https://canary',
            time: '2024-05-01T20:00:00.5Z',
          },
          { header: 'YouTube Music', title: 'Watched canary', time: '2024-05-01T21:00:00Z' },
          { header: 'YouTube', title: 'no time' },
        ]),
      ),
      'Takeout/Mail/All mail Including Spam and Trash.mbox': utf8(exports.mailbox),
      // What people keep in a drive is any file, broken ones included.
      'Takeout/Keep/canary.json': utf8('{canary'),
      'Takeout/Contacts/canary.csv': utf8('Name,Name\ncanary\n'),
      'Takeout/Drive/ids.json': utf8('{"id":12345678901234567890}'),
      'Takeout/Drive/canary.sqlite': utf8('SQLite format 3\u0000'),
      'Takeout/Drive/inner.zip': utf8('PK\u0003\u0004canary'),
      'Takeout/Google Photos/Trip/canary.jpg': Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 1),
      'Takeout/Google Photos/Trip/canary.jpg.supplemental-metadata.json': utf8('{"title":"canary"}'),
    }
    const name = 'takeout-20240503T060000Z-001'
    const { tables, contentDigest } = await refine('takeout', `${name}.zip`, zipSync(contents))
    const members = Object.entries(contents).map(([path, data]) => ({ name: path, data }))
    const packed = await refine('takeout', `${name}.tgz`, new Uint8Array(gzipSync(tar(members))))
    expect(packed.contentDigest).toBe(contentDigest)
    expect(tables).toEqual({
      days: [
        { contributor: 1, day: '2024-05-01', steps: 8123, distance: '5121' },
        { contributor: 1, day: '2024-05-02', steps: null, distance: null },
        { contributor: 1, day: '2024-05-03', steps: null, distance: null },
      ],
      watched: [
        { contributor: 1, at: '2024-05-01T20:00:00Z', music: false },
        { contributor: 1, at: '2024-05-01T21:00:00Z', music: true },
      ],
      places: [{ contributor: 1, at: '2024-05-01T06:00:00Z', cell: 'u336' }],
      mails: [
        { contributor: 1, at: '2024-05-01T08:00:00Z', provider: 'example.org' },
        { contributor: 1, at: null, provider: 'example.org' },
      ],
    })
    expect(JSON.stringify(tables)).not.toMatch(/canary|@/)
  })

  test('such an archive with folders of another language is refused, not taken without a row', async () => {
    const archive = zipSync({
      'Takeout/YouTube und YouTube Music/Verlauf/Wiedergabeverlauf.json': new TextEncoder().encode('[]'),
      'Takeout/Drive/a.json': new TextEncoder().encode('{}'),
    })
    const { refused, tables } = await refineAny('takeout', 'takeout.zip', archive)
    expect(refused).toEqual([{ id: '1', code: 'FORMAT_UNKNOWN', place: 'archive' }])
    expect(Object.values(tables).flat()).toEqual([])
  })
})
