import { uniquenessPreflight } from '@sealpool/poc/preflight'
import { schemaId } from '@sealpool/refine'
import { piiPreflight, schemaPreflight } from '@sealpool/refine/preflight'
import { getTransactionCount } from 'viem/actions'
import { afterAll, describe, expect, test } from 'vitest'
import { type PreflightCheck, sizePreflight } from '../index.js'
import { contributingApps } from '../testing/contributing-app.js'
import { devnetPool } from '../testing/devnet-pool.js'

/* The checks of an app before anything leaves. */

const world = await devnetPool()
const { app, exported } = contributingApps(world, (await world.time()) + 86_400n)
afterAll(() => world.devnet.stop())

describe('preflight', () => {
  const finding = (result: 'pass' | 'warn' | 'fail') => () => ({
    id: `is-${result}`,
    title: 'A test',
    result,
    detail: 'secret words of the export',
  })

  test('stops an unfit export before anything leaves, and its error does not quote the export', async () => {
    const { client, account, served, steps, onProgress } = app({
      preflight: [sizePreflight({ maximumBytes: 3 })],
    })
    const failed = client.contribute(account, exported(), { onProgress, preflight: [finding('fail')] })
    await expect(failed).rejects.toMatchObject({ code: 'PREFLIGHT_FAILED', place: 'preflight' })
    const error = await failed.catch((reason: unknown) => String(reason))
    expect(error).toContain('is-fail')
    expect(error).toContain('size')
    expect(error).not.toContain('secret')
    expect(served.seen).toEqual([])
    expect(steps).toEqual(['preflight started', 'preflight done'])
  })

  test('stops a file that does not fit the tables, naming row and field, before any upload or transaction', async () => {
    const schema = {
      id: 'trips',
      version: '1.0.0',
      source: 'csv',
      notes: [],
      tables: {
        trips: {
          description: 'Trips.',
          columns: {
            day: { type: 'date', description: 'Day.' },
            km: { type: 'decimal', decimals: 1, min: 0, description: 'Length.' },
            note: { type: 'text', pii: 'mask', description: 'Note.' },
          },
        },
      },
      direct: {
        table: 'trips',
        columns: { day: { from: 'date' }, km: { from: 'length' }, note: { from: 'words' } },
      },
    } as const
    const refiner = { schema }
    const preflight: readonly PreflightCheck[] = [
      sizePreflight({ maximumBytes: 10_000 }),
      schemaPreflight({ refiner }),
      piiPreflight({ refiner }),
      uniquenessPreflight({ key: new Uint8Array(32).fill(1) }),
    ]
    let uploads = 0
    const { client, account, served, steps, onProgress, blobStore } = app({ preflight })
    const put = blobStore.put.bind(blobStore)
    Object.assign(blobStore, {
      put: (...args: Parameters<typeof put>) => {
        uploads += 1
        return put(...args)
      },
    })
    const before = await getTransactionCount(world.walletOf(2), { address: account.address })
    const csv = (...rows: string[]) =>
      exported({
        bytes: new TextEncoder().encode(['date,length,words', ...rows, ''].join('\n')),
        mediaType: 'text/csv',
        schemaId: schemaId(schema),
      })
    const bad = csv(
      '2026-01-02,3.5,to work',
      '2026-01-03,longish,to ann@example.org',
      '2026-01-02,3.5,to work',
    )
    const findings = await client.preflight(bad)
    expect(findings.map(({ id, result }) => `${id} ${result}`)).toEqual([
      'size pass',
      'schema fail',
      'personal-data warn',
      'uniqueness warn',
    ])
    expect(findings[1]?.detail).toContain('row 2, field length, column trips.km')
    expect(JSON.stringify(findings)).not.toMatch(/longish|ann@/)
    const failed = client.contribute(account, bad, { onProgress })
    await expect(failed).rejects.toMatchObject({ code: 'PREFLIGHT_FAILED' })
    expect(served.seen).toEqual([])
    expect(uploads).toBe(0)
    expect(await getTransactionCount(world.walletOf(2), { address: account.address })).toBe(before)
    expect(steps).toEqual(['preflight started', 'preflight done'])

    const good = csv('2026-01-02,3.5,to work', '2026-01-03,4,home')
    const done = await client.contribute(account, good)
    expect(done.findings.map(({ result }) => result)).toEqual(['pass', 'pass', 'pass', 'pass'])
    expect(uploads).toBe(1)
  })

  test('tells warnings and goes on', async () => {
    const { client, account } = app({ preflight: [finding('warn')] })
    const { findings } = await client.contribute(account, exported(), { preflight: [finding('pass')] })
    expect(findings.map(({ id }) => id)).toEqual(['is-warn', 'is-pass'])
  })

  test('counts a check that breaks as failed, without its words', async () => {
    const broken = () => {
      throw new Error('secret words of the export')
    }
    const findings = await app().client.preflight(exported(), { preflight: [broken, finding('pass')] })
    expect(findings.map(({ result }) => result)).toEqual(['fail', 'pass'])
    expect(findings[0]?.detail).not.toContain('secret')
  })

  test('stops when it is told to', async () => {
    const reason = new Error('left')
    await expect(
      app().client.preflight(exported(), { preflight: [finding('pass')], signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
  })
})
