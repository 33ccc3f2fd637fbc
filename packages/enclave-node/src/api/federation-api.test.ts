import type { Address } from '@sealpool/crypto'
import { expect, it } from 'vitest'
import type { ShareAnswer, ShareServer } from '../federation/serve-share.js'
import { apiWorld, wallets } from '../testing/api-world.js'

const plan = `sha256:${'0'.repeat(64)}`
const wish = { job: '7', plan, step: 'look' }
const path = '/v1/federation/share'

it('a home is asked under the statement key that has signed in, and its share goes back as text', async () => {
  const asked: unknown[] = []
  let given: ShareAnswer = { state: 'willing' }
  const shareServer: ShareServer = {
    share: async (...call) => {
      asked.push(call)
      return given
    },
  }
  const world = apiWorld({}, { service: { shareServer } })
  const token = await world.session(wallets.peer, ['peer'])
  const call = async (body: object = wish) => (await world.call('POST', path, { token, body })).body
  expect(await call()).toMatchObject({ state: 'willing' })
  expect(asked).toEqual([[wallets.peer.address.toLowerCase() as Address, wish]])
  given = { state: 'given', sealed: new Uint8Array([1, 2]), share: {} as never }
  expect(await call({ ...wish, step: 'charge' })).toMatchObject({ state: 'given', sealed: 'AQI', share: {} })
  given = { state: 'refused', refusal: {} as never }
  expect(await call()).toMatchObject({ state: 'refused', refusal: {} })
  given = { state: 'later', reason: 'BUSY' }
  expect(await call()).toMatchObject({ state: 'later', reason: 'BUSY' })
  asked.length = 0
  for (const wrong of [
    {},
    { ...wish, job: -1 },
    { ...wish, plan: 'x' },
    { ...wish, step: 'give' },
    { ...wish, coordinator: wallets.peer.address },
  ]) {
    expect(await call(wrong)).toMatchObject({ error: { code: 'FEDERATION_BODY' } })
  }
  expect(asked).toEqual([])
})

it('a node whose settings name no other home gives no shares', async () => {
  const world = apiWorld()
  const token = await world.session(wallets.peer, ['peer'])
  expect((await world.call('POST', path, { token, body: wish })).body).toMatchObject({
    error: { code: 'FEDERATION_NOT_SERVED' },
  })
  const none = await world.call('GET', '/v1/jobs/7/shares', {})
  expect(none.body).toMatchObject({ error: { code: 'SHARES_UNKNOWN' } })
})
