import { attenuateCapability, sealCall } from '@sealpool/client/access'
import { keySetDigest, platformRandom } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { refused } from '../testing/api-sign-in.js'
import { apiKeys, apiManifest, apiUrl, apiWorld, otherKeys, wallets } from '../testing/api-world.js'

describe('a sealed call', () => {
  it('shows whoever stands in the way no byte of path, token, body or answer', async () => {
    const world = apiWorld()
    const canary = 'CANARY-of-the-purpose'
    const fetch = world.caller({ account: wallets.consumer })
    const response = await fetch(`${apiUrl}/v1/plan`, {
      method: 'POST',
      body: JSON.stringify({ manifest: { ...apiManifest, title: canary } }),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ ok: true, planDigest: expect.any(String) })
    const token = await world.session(wallets.consumer, ['consumer'])
    const seen = world.wire
      .map(({ url, headers, bytes }) => url + headers + Buffer.from(bytes).toString('latin1'))
      .join('\n')
    expect(world.wire.length).toBeGreaterThan(6)
    for (const secret of [
      canary,
      'planDigest',
      '/v1/plan',
      'sign-in',
      'sealpool1.',
      token.slice(20, 60),
      'SELECT',
      wallets.consumer.address.slice(2),
      'SIGN_IN_REQUIRED',
    ])
      expect(seen.toLowerCase()).not.toContain(secret.toLowerCase())
    for (const { url } of world.wire) expect(url).toBe(`${apiUrl}/v1/sealed`)
  })

  it('has one of few lengths', async () => {
    const lengths = new Set<number>()
    for (let length = 0; length < 1_000; length += 10) {
      const { sealed } = await sealCall({
        keySet: apiKeys.keySet,
        call: { method: 'POST', path: '/v1/plan', at: 0, token: null, body: 'x'.repeat(length) },
        random: platformRandom,
      })
      lengths.add(sealed.length)
    }
    expect(lengths.size).toBeLessThan(20)
  })

  it('is taken once, in its time, by the node whose keys it is sealed to', async () => {
    const world = apiWorld()
    const seal = async (keySet = apiKeys.keySet, at = world.clock.seconds) =>
      (
        await sealCall({
          keySet,
          call: { method: 'GET', path: '/v1/jobs', at, token: null, body: null },
          random: platformRandom,
        })
      ).sealed
    const answer = async (sealed: Uint8Array, type?: string) => {
      const response = await world.post(sealed, type)
      return response.status === 200
        ? 200
        : ((await response.json()) as { error: { code: string } }).error.code
    }
    const one = await seal()
    expect(await answer(one)).toBe(200)
    expect(await answer(one)).toBe('CALL_REPEATED')
    expect(await answer(await seal(), 'application/json')).toBe('MEDIA_TYPE_INVALID')
    expect(await answer(await seal(apiKeys.keySet, world.clock.seconds + 121))).toBe('CALL_STALE')
    const kept = await seal()
    world.clock.seconds += 121
    expect(await answer(kept)).toBe('CALL_STALE')
    const before = await seal()
    world.clock.seconds += 1
    world.restart()
    expect(await answer(before)).toBe('CALL_STALE')
    // The same HPKE key under other settings: the digest of the key set is in the seal.
    expect(otherKeys.keySet.hpke).toEqual(apiKeys.keySet.hpke)
    expect(await answer(await seal(otherKeys.keySet))).toBe('SEALED_CALL_INVALID')
    for (const bytes of [new Uint8Array(), new Uint8Array([1]), new Uint8Array(300), platformRandom(300)])
      expect(await answer(bytes)).toBe('SEALED_CALL_INVALID')
    const changed = await seal()
    for (const at of [0, 1, 40, changed.length - 1]) {
      const bytes = Uint8Array.from(changed)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      expect(await answer(bytes)).toBe('SEALED_CALL_INVALID')
    }
  })

  it('within a sealed call leads nowhere', async () => {
    expect(await apiWorld().call('POST', '/v1/sealed', { body: {} })).toMatchObject(refused('NOT_FOUND', 404))
  })

  it('brings bytes as they are', async () => {
    const { body } = await apiWorld().call('GET', '/v1/log/tile/0/000.p/1')
    expect(body).toBe(Buffer.from([0, 255, 128]).toString('base64url'))
  })

  it('has an answer that fits no other call, and that nobody else can make', async () => {
    const world = apiWorld()
    const seal = () =>
      sealCall({
        keySet: apiKeys.keySet,
        call: { method: 'GET', path: '/v1/jobs', at: world.clock.seconds, token: null, body: null },
        random: platformRandom,
      })
    const [one, two] = [await seal(), await seal()]
    const bytes = new Uint8Array(await (await world.post(one.sealed)).arrayBuffer())
    expect((await one.openAnswer(bytes)).status).toBe(200)
    await expect(two.openAnswer(bytes)).rejects.toMatchObject({ code: 'SEALED_CALL_REFUSED' })
    bytes[60] = (bytes[60] ?? 0) ^ 1
    await expect(one.openAnswer(bytes)).rejects.toMatchObject({ code: 'SEALED_CALL_REFUSED' })
  })
})

describe('the client', () => {
  it('asks its owner once for many calls, and again when the session is over', async () => {
    const world = apiWorld()
    let signed = 0
    const account = {
      ...wallets.consumer,
      signMessage: (one: { message: string }) => {
        signed += 1
        return wallets.consumer.signMessage(one)
      },
    } as typeof wallets.consumer
    const fetch = world.caller({ account, sessionSeconds: 100 })
    const ask = async () => (await fetch(`${apiUrl}/v1/jobs/7/result`)).status
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200])
    expect(signed).toBe(1)
    world.clock.seconds += 100
    expect(await Promise.all([ask(), ask()])).toEqual([200, 200])
    expect(signed).toBe(2)
  })

  it('goes on when its clock is wrong', async () => {
    const world = apiWorld()
    const fetch = world.caller()
    const late = apiWorld()
    late.clock.seconds += 5_000
    const slow = late.caller()
    expect((await fetch(`${apiUrl}/v1/jobs`)).status).toBe(200)
    expect((await slow(`${apiUrl}/v1/jobs`)).status).toBe(200)
  })

  it('shows an agent’s token, and never signs in for it', async () => {
    const world = apiWorld()
    const session = await world.session(wallets.consumer, ['consumer'])
    const token = attenuateCapability(session, [{ jobs: ['7'] }])
    const fetch = world.caller({ token })
    expect((await fetch(`${apiUrl}/v1/jobs/7/result`)).status).toBe(200)
    const plan = await fetch(`${apiUrl}/v1/plan`, {
      method: 'POST',
      body: JSON.stringify({ manifest: apiManifest }),
    })
    expect(plan.status).toBe(403)
  })

  it('says why a sign-in failed', async () => {
    const world = apiWorld()
    const fetch = world.caller({ account: wallets.stranger, roles: ['operator'] })
    await expect(fetch(`${apiUrl}/v1/metrics`)).rejects.toMatchObject({
      code: 'SIGN_IN_FAILED',
      nodeCode: 'SIGN_IN_ROLE',
    })
    const nobody = world.caller({ account: { ...wallets.stranger, signMessage: undefined } as never })
    await expect(nobody(`${apiUrl}/v1/audit`)).rejects.toMatchObject({ code: 'ACCOUNT_REQUIRED' })
  })

  it('believes nobody who answers in place of the node', async () => {
    const world = apiWorld()
    const stranger = world.caller({}, otherKeys.keySet)
    await expect(stranger(`${apiUrl}/v1/jobs`)).rejects.toMatchObject({
      code: 'NODE_REFUSED',
      nodeCode: 'SEALED_CALL_INVALID',
    })
    expect(keySetDigest(otherKeys.keySet)).not.toBe(apiKeys.keySetDigest)
  })
})
