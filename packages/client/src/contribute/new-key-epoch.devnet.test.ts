import { parseHeader } from '@sealpool/crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { contributingApps } from '../testing/contributing-app.js'
import { devnetPool } from '../testing/devnet-pool.js'
import { parseJournalEntry } from './contribution-journal.js'

/* A pool whose key moves on while somebody contributes. */

const world = await devnetPool()
const { app, countOf, exported } = contributingApps(world, (await world.time()) + 86_400n)
afterAll(() => world.devnet.stop())

describe('a new key epoch', () => {
  test('between an interruption and its going on: sealed anew under the same number', async () => {
    const made = app()
    const stop = new Error('broken off')
    const broken = made.client.contribute(made.account, exported(), {
      key: 'k',
      onProgress: ({ step }) => {
        if (step === 'sign') throw stop
      },
    })
    await expect(broken).rejects.toBe(stop)
    const noted = parseJournalEntry((await made.journal.get('k')) ?? '')
    await world.publish(2)
    made.state.epoch = 2
    const { prepared } = await made.client.contribute(made.account, exported(), { key: 'k' })
    expect(prepared.contribution).toMatchObject({ epoch: 2, nonce: noted.nonce })
    expect(parseHeader(await made.blobStore.get(prepared.contribution.locator)).context.epoch).toBe(2)
  })

  test('between the last look and the transaction: once more, under the same number', async () => {
    const made = app({ maximumAgeMs: 60_000 })
    made.state.epoch = 2
    const before = await countOf()
    let moved = false
    const { prepared } = await made.client.contribute(
      {
        ...made.account,
        signTypedData: async (data: never) => {
          if (!moved) {
            moved = true
            await world.publish(3)
            made.state.epoch = 3
          }
          return world.accountOf(2).signTypedData(data)
        },
      } as typeof made.account,
      exported(),
      { key: 'k', onProgress: made.onProgress },
    )
    expect(prepared.contribution.epoch).toBe(3)
    expect(made.steps.filter((step) => step === 'send started').length).toBe(2)
    expect(await countOf()).toBe(before + 1)
  })

  test('that comes every time is an error, not a loop', async () => {
    const made = app()
    let epoch = 3
    made.state.epoch = epoch
    const account = {
      ...made.account,
      signTypedData: async (data: never) => {
        epoch += 1
        await world.publish(epoch)
        made.state.epoch = epoch
        return world.accountOf(2).signTypedData(data)
      },
    } as typeof made.account
    await expect(made.client.contribute(account, exported())).rejects.toMatchObject({
      code: 'REVERTED',
      revert: { name: 'EpochNotCurrent' },
    })
    expect(epoch).toBe(5)
  })
})
