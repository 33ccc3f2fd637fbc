import { afterAll, describe, expect, test } from 'vitest'
import { sizePreflight } from '../index.js'
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
