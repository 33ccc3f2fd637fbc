import { attenuateCapability, type Caveat } from '@sealpool/client/access'
import { encodeHex, type Hex, platformRandom } from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { refused, signIn, type World } from '../testing/api-sign-in.js'
import { apiWorld, wallets } from '../testing/api-world.js'
import { apiErrorTexts } from './api-error.js'

describe('credentials in the clear', () => {
  it.each(['authorization', 'cookie', 'proxy-authorization', 'x-api-key'])(
    'in %s are told to be exposed, and are not looked at',
    async (name) => {
      const world = apiWorld({ open: true })
      const token = await world.session(wallets.consumer, ['consumer'])
      const response = await world.app().request('/v1/jobs', { headers: { [name]: `Bearer ${token}` } })
      expect({ status: response.status, body: await response.json() }).toMatchObject(
        refused('CREDENTIAL_EXPOSED', 400),
      )
    },
  )
})

describe('pages of other origins', () => {
  const call = (world: World, origin: string, method = 'GET') =>
    world.app().request('/v1/jobs', { method, headers: { origin } })
  it('are let in by their exact names, and by default not at all', async () => {
    const world = apiWorld({}, { origins: ['https://app.example'] })
    const good = await call(world, 'https://app.example')
    expect(good.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(good.headers.get('vary')).toBe('origin')
    expect(good.headers.get('access-control-allow-credentials')).toBeNull()
    const preflight = await call(world, 'https://app.example', 'OPTIONS')
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, POST',
    ])
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example')
    for (const origin of [
      'https://app.example:443',
      'http://app.example',
      'https://x.app.example',
      'https://app.example.evil',
      'null',
      'HTTPS://APP.EXAMPLE',
    ]) {
      expect((await call(world, origin)).headers.get('access-control-allow-origin')).toBeNull()
      expect((await call(world, origin, 'OPTIONS')).status).toBe(404)
    }
    expect(
      (await call(apiWorld(), 'https://app.example')).headers.get('access-control-allow-origin'),
    ).toBeNull()
  })
})

describe('what is noted', () => {
  it('names events and callers by tags, and holds no token, address or path parameter', async () => {
    const world = apiWorld()
    const session = await world.session(wallets.consumer, ['consumer'])
    const body = { expiresAt: world.clock.seconds + 5, caveats: [] }
    const { token } = (await world.call('POST', '/v1/tokens', { token: session, body })).body as {
      token: string
    }
    await world.call('POST', '/v1/tokens/revoke', { token: session, body: { token } })
    await world.call('GET', '/v1/jobs/7/result', { token: session })
    await world.call('POST', '/v1/sign-out', { token: session, body: {} })
    expect(new Set(world.audited.map(({ event }) => event))).toEqual(
      new Set(['sign-in', 'calls', 'token-given', 'token-revoked', 'sign-out']),
    )
    expect(world.audited).toContainEqual({
      event: 'calls',
      facts: {
        caller: expect.stringMatching(/^[0-9a-f]{16}$/),
        agent: false,
        endpoint: 'GET /v1/jobs/{id}/result',
        status: 200,
      },
    })
    const text = JSON.stringify(world.audited).toLowerCase()
    expect(text).not.toContain(wallets.consumer.address.slice(2, 20).toLowerCase())
    expect(text).not.toContain('sealpool1')
  })
})

describe('texts of refusals', () => {
  it('are from the list, whatever was sent', async () => {
    const world = apiWorld()
    const canary: Hex = encodeHex(platformRandom(20))
    const caveats: Caveat[] = [{ endpoints: [`GET /v1/${canary}`] }]
    const token = attenuateCapability(await world.session(wallets.consumer, ['consumer']), caveats)
    const answers = [
      await world.call('GET', '/v1/audit', { token }),
      await world.call('GET', '/v1/audit', { token: canary }),
      await signIn(world, { message: canary, signature: '0x12' }),
      await world.call('GET', `/v1/${canary}`),
    ]
    for (const { body } of answers) {
      const { code, message } = (body as { error: { code: keyof typeof apiErrorTexts; message: string } })
        .error
      expect(message).toBe(apiErrorTexts[code])
      expect(message).not.toContain(canary)
    }
    expect(privateKeyToAccount(`0x${'1'.repeat(64)}`).address).toBe(wallets.contributor.address)
  })
})
