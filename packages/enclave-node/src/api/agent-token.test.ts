import { attenuateCapability } from '@sealpool/client/access'
import { describe, expect, it } from 'vitest'
import { refused, type World } from '../testing/api-sign-in.js'
import { apiManifest, apiPool, apiWorld, otherPool, wallets } from '../testing/api-world.js'

describe('a token of an agent', () => {
  const given = async (world: World, caveats: readonly unknown[], more: object = {}) => {
    const session = await world.session(wallets.consumer, ['consumer'])
    const body = { expiresAt: world.clock.seconds + 1_000, caveats, ...more }
    const answer = await world.call('POST', '/v1/tokens', { token: session, body })
    return { session, answer, ...(answer.body as { token: string; id: string }) }
  }
  const plan = (world: World, token: string, manifest: unknown = apiManifest) =>
    world.call('POST', '/v1/plan', { token, body: { manifest } })
  const result = (world: World, token: string) => world.call('GET', '/v1/jobs/7/result', { token })
  const foreign = { ...apiManifest, pools: [{ address: otherPool, name: 'other' }] }
  const both = { ...apiManifest, pools: [...apiManifest.pools, ...foreign.pools] }

  it('does what its caveats allow and nothing else', async () => {
    const world = apiWorld()
    const pools = await given(world, [{ pools: [apiPool] }])
    expect((await plan(world, pools.token)).status).toBe(200)
    expect((await result(world, pools.token)).status).toBe(200)
    for (const manifest of [foreign, both]) {
      expect(await plan(world, pools.token, manifest)).toMatchObject(refused('TOKEN_OUT_OF_SCOPE', 403))
    }
    const jobs = await given(world, [{ jobs: ['8'] }])
    expect(await result(world, jobs.token)).toMatchObject(refused('TOKEN_OUT_OF_SCOPE'))
    expect(await plan(world, jobs.token)).toMatchObject(refused('TOKEN_OUT_OF_SCOPE'))
    const endpoint = await given(world, [{ endpoints: ['GET /v1/jobs/{id}/result'] }])
    expect((await result(world, endpoint.token)).status).toBe(200)
    expect(await plan(world, endpoint.token)).toMatchObject(refused('TOKEN_OUT_OF_SCOPE'))
    const foreignJob = await given(world, [{ pools: [otherPool] }])
    expect(await result(world, foreignJob.token)).toMatchObject(refused('TOKEN_OUT_OF_SCOPE'))
  })

  it('can be handed on narrower and never wider', async () => {
    const world = apiWorld()
    const { token } = await given(world, [{ endpoints: ['POST /v1/plan'] }])
    const wider = attenuateCapability(token, [
      { endpoints: ['POST /v1/plan', 'GET /v1/jobs/{id}/result'] },
      { expires: world.clock.seconds + 1e9 },
    ])
    expect(await result(world, wider)).toMatchObject(refused('TOKEN_OUT_OF_SCOPE'))
    expect((await plan(world, wider)).status).toBe(200)
    const none = attenuateCapability(wider, [{ endpoints: ['GET /v1/jobs/{id}/result'] }])
    expect(await plan(world, none)).toMatchObject(refused('TOKEN_OUT_OF_SCOPE'))
    world.clock.seconds += 1_000
    expect(await plan(world, wider)).toMatchObject(refused('TOKEN_EXPIRED'))
  })

  it('ends early when a caveat says so', async () => {
    const world = apiWorld()
    const { token } = await given(world, [])
    const brief = attenuateCapability(token, [{ expires: world.clock.seconds + 10 }])
    expect((await plan(world, brief)).status).toBe(200)
    world.clock.seconds += 10
    expect(await plan(world, brief)).toMatchObject(refused('TOKEN_EXPIRED'))
    expect((await plan(world, token)).status).toBe(200)
  })

  it('is revoked by its wallet, whole or from a name on, and by nobody else', async () => {
    const world = apiWorld()
    const { token, session, id } = await given(world, [])
    const named = attenuateCapability(token, [{ id: 'f'.repeat(32) }])
    const below = attenuateCapability(named, [{ endpoints: ['POST /v1/plan'] }])
    const revoke = (by: string, target: unknown) =>
      world.call('POST', '/v1/tokens/revoke', { token: by, body: { token: target } })
    const stranger = await world.session(wallets.stranger, ['consumer'])
    for (const target of [token, 'x', 7, `${token}a`])
      expect(await revoke(stranger, target)).toMatchObject(refused('REVOCATION_INVALID', 400))
    expect(await revoke(session, below)).toMatchObject({ body: { revoked: 'f'.repeat(32) } })
    for (const one of [named, below]) expect(await plan(world, one)).toMatchObject(refused('TOKEN_REVOKED'))
    expect((await plan(world, token)).status).toBe(200)
    expect(await revoke(session, token)).toMatchObject({ body: { revoked: id } })
    expect(await plan(world, token)).toMatchObject(refused('TOKEN_REVOKED'))
    expect((await plan(world, session)).status).toBe(200)
  })

  it.each<[string, readonly unknown[], object]>([
    ['a caveat that is not known', [{ price: 7 }], {}],
    ['a caveat of two', [{ pools: [apiPool], jobs: ['7'] }], {}],
    ['no pools', [{ pools: [] }], {}],
    ['a pool in capitals', [{ pools: [apiPool.toUpperCase().replace('0X', '0x')] }], {}],
    ['a caveat that is none', ['pools'], {}],
    ['too many', Array.from({ length: 9 }, () => ({ jobs: ['7'] })), {}],
    ['an end in the past', [], { expiresAt: 5 }],
    ['an end that is too far', [], { expiresAt: 1_790_000_000 + 91 * 86_400 }],
    ['no end', [], { expiresAt: null }],
  ])('is not given with %s', async (_, caveats, more) => {
    expect((await given(apiWorld(), caveats, more)).answer).toMatchObject(
      refused('TOKEN_REQUEST_INVALID', 400),
    )
  })

  it('gives no tokens itself, ends no session and revokes nothing', async () => {
    const world = apiWorld()
    const { token, session } = await given(world, [])
    const narrow = attenuateCapability(session, [{ id: '0'.repeat(32) }])
    for (const one of [token, narrow]) {
      for (const path of ['/v1/tokens', '/v1/tokens/revoke', '/v1/sign-out'])
        expect(await world.call('POST', path, { token: one, body: {} })).toMatchObject(
          refused('ROLE_NOT_ALLOWED'),
        )
    }
  })

  it('that somebody has changed is none', async () => {
    const world = apiWorld()
    const { token } = await given(world, [{ endpoints: ['POST /v1/plan'] }])
    const parts = token.split('.')
    const without = [...parts.slice(0, 2), ...parts.slice(3)].join('.')
    const flipped = token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1)
    for (const text of [without, flipped, `${token}.`, '', '.', 'x'.repeat(9_000), token.toUpperCase()])
      expect(await plan(world, text)).toMatchObject(refused('TOKEN_INVALID', 401))
  })
})
