import { fileURLToPath, pathToFileURL } from 'node:url'
import { refineBatch } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { postalReader } from '@sealpool/refine/mail'
import { saxesReader } from '@sealpool/refine/xml'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { describe, expect, test } from 'vitest'

/** Valid exports made for the conformance cases; real ones are nobody's to publish. */
const exports = (await import(
  pathToFileURL(fileURLToPath(new URL('../../../conformance/refine/exports.mjs', import.meta.url))).href
)) as { activities(): Record<string, Uint8Array>; healthExport: string; mailbox: string }

async function refine(refiner: string, name: string, bytes: Uint8Array | string) {
  const runtime = await createQuickJsRuntime()
  const entry = fileURLToPath(new URL(`./refiner/${refiner}.ts`, import.meta.url))
  try {
    const batch = await refineBatch({
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
    expect(batch.refused).toEqual([])
    return batch
  } finally {
    await runtime.close()
  }
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
})
