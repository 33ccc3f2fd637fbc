import { describe, expect, it } from 'vitest'
import type { CredentialRequest } from '../credential/credential-desk.js'
import { refused } from '../testing/api-sign-in.js'
import { apiPool, apiWorld, wallets } from '../testing/api-world.js'

const wallet = wallets.consumer.address.toLowerCase()
const body = { pool: apiPool, nonce: 'n', presentation: 'a-presented-canary~b', statusList: null }

describe('a presentation through the API', () => {
  it('is of the wallet that has signed in, whatever the body says', async () => {
    const asked: [string, CredentialRequest][] = []
    const condition = `sha256:${'0'.repeat(64)}` as const
    const world = apiWorld(
      {},
      {
        service: {
          credentials: {
            challenge: (whose) => `nonce.${whose}`,
            present: async (...all) => {
              asked.push(all)
              return [{ condition, until: null, reason: 'EXPIRED' }]
            },
          },
        },
      },
    )
    const token = await world.session(wallets.consumer, ['consumer'])
    const challenge = await world.call('GET', '/v1/presentation', { token })
    expect(challenge.body).toEqual({ simulated: true, nonce: `nonce.${wallet}` })
    const pool = apiPool.toUpperCase().replace('0X', '0x')
    const answer = await world.call('POST', '/v1/presentation', { token, body: { ...body, pool } })
    expect(answer).toEqual({
      status: 200,
      body: { simulated: true, pool: apiPool, conditions: [{ condition, until: null, reason: 'EXPIRED' }] },
    })
    expect(asked).toEqual([[wallet, body]])
    // What travelled shows nothing of it, nor does what is noted of the call.
    const travelled = world.wire.map(
      ({ url, headers, bytes }) => url + headers + Buffer.from(bytes).toString('latin1'),
    )
    expect(`${travelled.join()}${JSON.stringify(world.audited)}`).not.toContain('canary')
  })

  it('is refused outside of a sealed call, also where the API is open', async () => {
    const world = apiWorld({ open: true })
    const plain = (method: string) =>
      world.app().request('/v1/presentation', {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
      })
    for (const method of ['GET', 'POST']) {
      const response = await plain(method)
      expect({ status: response.status, body: await response.json() }).toMatchObject(
        refused('SEALED_CALL_REQUIRED', 400),
      )
    }
    expect(await world.call('POST', '/v1/presentation', { body })).toMatchObject(refused('SIGN_IN_REQUIRED'))
  })

  it('waits for its turn, and is refused where too many of one address wait', async () => {
    let underWay = 0
    let most = 0
    const ends: (() => void)[] = []
    const present = async () => {
      most = Math.max(most, ++underWay)
      await new Promise<void>((end) => ends.push(end))
      underWay -= 1
      return 'CREDENTIAL_POOL' as const
    }
    const world = apiWorld({}, { service: { credentials: { challenge: () => 'n', present } } })
    const token = await world.session(wallets.consumer, ['consumer'])
    let open = 40
    const answers = Promise.all(
      Array.from({ length: open }, async () => {
        const { status } = await world.call('POST', '/v1/presentation', { token, body })
        open -= 1
        return status
      }),
    )
    const otherwise = () => new Promise((next) => setImmediate(next))
    // Two are under way, and twenty wait.
    while (open > 22) await otherwise()
    while (open > 0) {
      ends.shift()?.()
      await otherwise()
    }
    const statuses = await answers
    expect([most, statuses.filter((status) => status === 503).length]).toEqual([2, 18])
    expect(statuses.filter((status) => status === 404)).toHaveLength(22)
  })
  it('is refused in another form, and with the desk’s word', async () => {
    const present = async () => 'CREDENTIAL_NONCE' as const
    const world = apiWorld({}, { service: { credentials: { challenge: () => 'n', present } } })
    const token = await world.session(wallets.consumer, ['consumer'])
    const ask = (given: unknown) => world.call('POST', '/v1/presentation', { token, body: given })
    expect(await ask(body)).toMatchObject(refused('CREDENTIAL_NONCE'))
    for (const wrong of [
      null,
      {},
      { ...body, more: 1 },
      { ...body, pool: 'pay' },
      { pool: apiPool, nonce: 'n', presentation: 'a~b' },
      { ...body, presentation: 'x'.repeat(65_537) },
    ])
      expect(await ask(wrong)).toMatchObject(refused('CREDENTIAL_BODY', 400))
  })
})
