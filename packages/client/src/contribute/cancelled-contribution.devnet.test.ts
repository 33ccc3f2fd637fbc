import { afterAll, describe, expect, test } from 'vitest'
import { contributingApps } from '../testing/contributing-app.js'
import { devnetPool } from '../testing/devnet-pool.js'

/* A contribution that its app calls off. */

const world = await devnetPool()
const { app, countOf, exported } = contributingApps(world, (await world.time()) + 86_400n)
afterAll(() => world.devnet.stop())

describe('cancelling', () => {
  const reason = new Error('the page was left')
  test('before anything', async () => {
    const { client, account, served } = app()
    await expect(client.contribute(account, exported(), { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    expect(served.seen).toEqual([])
  })

  test.each(['verify started', 'seal started', 'store started', 'sign started', 'send started'])(
    'at "%s" gives the caller’s reason',
    async (moment) => {
      const control = new AbortController()
      const before = await countOf()
      const made = app({}, async (_method, send) => {
        if (control.signal.aborted) await new Promise(() => undefined)
        return send()
      })
      const onProgress = ({ step, state }: { step: string; state: string }) => {
        if (`${step} ${state}` === moment) control.abort(reason)
      }
      await expect(
        made.client.contribute(made.account, exported(), { signal: control.signal, onProgress }),
      ).rejects.toBe(reason)
      expect(await countOf()).toBe(before)
    },
  )

  test('while it waits to try again', async () => {
    const control = new AbortController()
    const { client, account } = app({
      retryDelayMs: 60_000,
      fetch: async () => {
        control.abort(reason)
        throw new TypeError('fetch failed')
      },
    })
    await expect(client.contribute(account, exported(), { signal: control.signal })).rejects.toBe(reason)
  })

  test('prepareContribution stops too', async () => {
    const { client, account } = app()
    await expect(
      client.prepareContribution(account, exported(), { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
  })
})
