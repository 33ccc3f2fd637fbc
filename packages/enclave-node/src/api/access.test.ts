import {
  attenuateCapability,
  type Caveat,
  mintCapability,
  sealCall,
  signInMessage,
} from '@sealpool/client/access'
import { encodeHex, type Hex, keySetDigest, platformRandom } from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import {
  apiKeys,
  apiManifest,
  apiPool,
  apiUrl,
  apiWorld,
  otherKeys,
  otherPool,
  wallets,
} from '../testing/api-world.js'
import { apiErrorTexts } from './api-error.js'

type World = ReturnType<typeof apiWorld>
const refused = (code: string, status?: number) => ({
  ...(status === undefined ? {} : { status }),
  body: { error: { code } },
})

/** A message as a wallet would sign it at this moment; a test changes one thing. */
async function signedIn(
  world: World,
  change: Partial<Parameters<typeof signInMessage>[0]> = {},
  edit = (text: string) => text,
) {
  const { body } = await world.call('GET', '/v1/sign-in')
  const { nonce } = body as { nonce: string }
  const issuedAt = new Date(world.clock.seconds * 1000)
  const message = edit(
    signInMessage({
      address: wallets.consumer.address,
      nodeUrl: apiUrl,
      chainId: 31_337,
      nonce,
      issuedAt,
      expiresAt: new Date(issuedAt.getTime() + 600_000),
      keySet: apiKeys.keySetDigest,
      roles: ['consumer'],
      ...change,
    }),
  )
  return { message, signature: await wallets.consumer.signMessage({ message }) }
}
const signIn = (world: World, body: unknown) => world.call('POST', '/v1/sign-in', { body })

describe('a sign-in', () => {
  it('gives a session that ends when the message says, or when the settings do', async () => {
    const world = apiWorld()
    const answer = await signIn(world, await signedIn(world))
    const end = world.clock.seconds + 600
    expect(answer).toMatchObject({
      status: 200,
      body: { roles: ['consumer'], expiresAt: end, address: wallets.consumer.address.toLowerCase() },
    })
    const { token } = answer.body as { token: string }
    const plan = () => world.call('POST', '/v1/plan', { token, body: { manifest: apiManifest } })
    expect((await plan()).status).toBe(200)
    world.clock.seconds = end
    expect(await plan()).toMatchObject(refused('TOKEN_EXPIRED', 401))
    const short = apiWorld({ sessionSeconds: 60 })
    expect(await signIn(short, await signedIn(short))).toMatchObject({
      body: { expiresAt: short.clock.seconds + 60 },
    })
  })

  it('is good once, also for two that come at the same moment', async () => {
    const world = apiWorld()
    const body = await signedIn(world)
    const answers = await Promise.all([signIn(world, body), signIn(world, body), signIn(world, body)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401])
    expect(await signIn(world, body)).toMatchObject(refused('SIGN_IN_NONCE'))
  })

  it('from before a restart is worth nothing after it', async () => {
    const world = apiWorld()
    const body = await signedIn(world)
    world.restart()
    expect(await signIn(world, body)).toMatchObject(refused('SIGN_IN_NONCE'))
  })

  const at = (seconds: number) => new Date((1_790_000_000 + seconds) * 1000)
  it.each([
    ['for another domain', { nodeUrl: 'https://evil.example' }, 'SIGN_IN_DOMAIN'],
    ['for another port', { nodeUrl: 'https://node.example:8443' }, 'SIGN_IN_DOMAIN'],
    ['for another scheme', { nodeUrl: 'http://node.example' }, 'SIGN_IN_DOMAIN'],
    ['for another path', { nodeUrl: 'https://node.example/x' }, 'SIGN_IN_DOMAIN'],
    ['for another chain', { chainId: 1 }, 'SIGN_IN_CHAIN'],
    ['for another key set', { keySet: otherKeys.keySetDigest }, 'SIGN_IN_KEY_SET'],
    ['that is over', { issuedAt: at(-60), expiresAt: at(0) }, 'SIGN_IN_EXPIRED'],
    ['that is too old', { issuedAt: at(-601) }, 'SIGN_IN_EXPIRED'],
    ['that is not valid yet', { issuedAt: at(61) }, 'SIGN_IN_NOT_YET'],
    ['with a nonce of its own', { nonce: 'a'.repeat(74) }, 'SIGN_IN_NONCE'],
    ['with a short nonce', { nonce: 'abcdefgh' }, 'SIGN_IN_NONCE'],
    ['of somebody else', { address: wallets.stranger.address }, 'SIGN_IN_SIGNATURE'],
    ['as an operator who is none', { roles: ['operator'] as const }, 'SIGN_IN_ROLE'],
    ['as a peer that is none', { roles: ['consumer', 'peer'] as const }, 'SIGN_IN_ROLE'],
    ['as nobody', { roles: [] }, 'SIGN_IN_ROLE'],
    ['in a role twice', { roles: ['consumer', 'consumer'] as const }, 'SIGN_IN_ROLE'],
  ])('%s is refused', async (_, change, code) => {
    const world = apiWorld()
    const body = await signedIn(world, change)
    expect(await signIn(world, body)).toMatchObject(refused(code))
    expect(world.audited.at(-1)).toMatchObject({ event: 'sign-in-refused', facts: { code } })
  })

  it.each<[string, (text: string) => string, string]>([
    ['without an end', (text) => text.replace(/\nExpiration Time: .*/, ''), 'SIGN_IN_MESSAGE'],
    [
      'with Not Before in the future',
      (text) => text.replace('\nResources', '\nNot Before: 2026-09-22T00:00:00.000Z\nResources'),
      'SIGN_IN_NOT_YET',
    ],
    ['without the key set', (text) => text.replace(/\n- urn:sealpool:key-set:.*/, ''), 'SIGN_IN_KEY_SET'],
    [
      'with two key sets',
      (text) =>
        text.replace(/(\n- urn:sealpool:key-set:.*)/, `$1\n- urn:sealpool:key-set:${otherKeys.keySetDigest}`),
      'SIGN_IN_KEY_SET',
    ],
    ['with a resource that is not known', (text) => `${text}\n- urn:other:thing`, 'SIGN_IN_ROLE'],
    ['with more after its end', (text) => `${text}\nmore`, 'SIGN_IN_MESSAGE'],
    ['with words before it', (text) => `Hello\n${text}`, 'SIGN_IN_MESSAGE'],
    ['with two chains', (text) => text.replace('\nNonce', '\nChain ID: 1\nNonce'), 'SIGN_IN_MESSAGE'],
    [
      'with a time that is none',
      (text) => text.replace(/Issued At: .*/, 'Issued At: yesterday'),
      'SIGN_IN_MESSAGE',
    ],
    [
      'with an address in lower case',
      (text) => text.replace(wallets.consumer.address, wallets.consumer.address.toLowerCase()),
      'SIGN_IN_MESSAGE',
    ],
    ['with a scheme before the domain', (text) => `https://${text}`, 'SIGN_IN_DOMAIN'],
    ['with another line break', (text) => text.replaceAll('\n', '\r\n'), 'SIGN_IN_MESSAGE'],
    ['of nothing', () => '', 'SIGN_IN_MESSAGE'],
  ])('%s is refused', async (_, edit, code) => {
    const world = apiWorld()
    expect(await signIn(world, await signedIn(world, {}, edit))).toMatchObject(refused(code))
  })

  it('is refused with another body, and when its nonce is over', async () => {
    const world = apiWorld()
    const good = await signedIn(world)
    for (const body of [
      null,
      {},
      [],
      { ...good, more: 1 },
      { ...good, signature: '0x1' },
      { ...good, message: 7 },
    ])
      expect(await signIn(world, body)).toMatchObject(refused('SIGN_IN_BODY', 400))
    world.clock.seconds += 301
    expect(await signIn(world, good)).toMatchObject(refused('SIGN_IN_NONCE'))
  })

  it('with a bad signature leaves its nonce to who can sign', async () => {
    const world = apiWorld()
    const good = await signedIn(world)
    const forged = { ...good, signature: `0x${'11'.repeat(64)}1b` }
    expect(await signIn(world, forged)).toMatchObject(refused('SIGN_IN_SIGNATURE'))
    expect((await signIn(world, good)).status).toBe(200)
  })

  it('of a contract wallet is asked of the contract, with the very hash and signature', async () => {
    const asked: unknown[] = []
    const world = apiWorld({
      isContractSignature: async (...all) => {
        asked.push(all)
        return all[2] === '0x1234'
      },
    })
    const { message } = await signedIn(world, { address: wallets.stranger.address })
    expect(await signIn(world, { message, signature: '0x12' })).toMatchObject(refused('SIGN_IN_SIGNATURE'))
    expect((await signIn(world, { message, signature: '0x1234' })).status).toBe(200)
    expect(asked).toHaveLength(2)
    expect(asked[0]).toEqual([
      wallets.stranger.address.toLowerCase(),
      expect.stringMatching(/^0x[0-9a-f]{64}$/),
      '0x12',
    ])
  })

  it('at a node by IP address names host and address', async () => {
    const world = apiWorld({ publicUrl: () => 'http://127.0.0.1:8787' })
    const { body } = await world.call('GET', '/v1/sign-in')
    expect(body).toMatchObject({ domain: '127.0.0.1', uri: 'http://127.0.0.1:8787/v1/sign-in' })
    const other = await signedIn(world, { nodeUrl: 'http://127.0.0.1:8788' })
    expect(await signIn(world, other)).toMatchObject(refused('SIGN_IN_DOMAIN'))
    expect((await signIn(world, await signedIn(world, { nodeUrl: 'http://127.0.0.1:8787' }))).status).toBe(
      200,
    )
  })
})

describe('a session', () => {
  it('is nothing to a node with other keys, and outlives a restart of this one', async () => {
    const world = apiWorld()
    const token = await world.session(wallets.consumer, ['consumer'])
    const audit = () => world.call('GET', '/v1/audit', { token })
    world.restart()
    expect((await audit()).status).toBe(200)
    world.restart({ keySet: apiKeys.keySetDigest, tokenKey: new Uint8Array(32) })
    expect(await audit()).toMatchObject(refused('TOKEN_INVALID', 401))
  })

  it('is bound to the key set besides its key', async () => {
    const world = apiWorld()
    const key = apiKeys.accessSecret({ chainId: 31_337, nodeRegistry: apiPool })
    const head = {
      format: 'sealpool/capability',
      version: 1,
      id: '0'.repeat(32),
      use: 'session',
      address: apiPool,
      roles: ['consumer'],
      issuedAt: 0,
      expiresAt: world.clock.seconds + 5,
    } as const
    const of = (keySet: typeof apiKeys.keySetDigest) =>
      world.call('GET', '/v1/audit', { token: mintCapability({ key, head: { ...head, keySet } }) })
    expect((await of(apiKeys.keySetDigest)).status).toBe(200)
    expect(await of(otherKeys.keySetDigest)).toMatchObject(refused('TOKEN_INVALID'))
  })

  it('ends when its wallet signs out, with all that was narrowed from it', async () => {
    const world = apiWorld()
    const token = await world.session(wallets.consumer, ['consumer'])
    const narrow = attenuateCapability(token, [{ endpoints: ['POST /v1/plan'] }])
    expect((await world.call('POST', '/v1/sign-out', { token, body: {} })).status).toBe(200)
    for (const one of [token, narrow]) {
      expect(
        await world.call('POST', '/v1/plan', { token: one, body: { manifest: apiManifest } }),
      ).toMatchObject(refused('TOKEN_REVOKED', 401))
    }
    // A public call with a token that is none says so, rather than going on without.
    expect(await world.call('GET', '/v1/jobs', { token })).toMatchObject(refused('TOKEN_REVOKED'))
  })

  it('of an operator ends when the settings do not list it any more', async () => {
    const world = apiWorld()
    const token = await world.session(wallets.operator, ['operator'])
    expect((await world.call('GET', '/v1/metrics', { token })).status).toBe(200)
    world.restart({ operators: new Set() })
    expect(await world.call('GET', '/v1/metrics', { token })).toMatchObject(refused('TOKEN_REVOKED'))
  })
})

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
