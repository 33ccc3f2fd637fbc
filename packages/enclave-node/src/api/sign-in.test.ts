import { attenuateCapability, mintCapability } from '@sealpool/client/access'
import { describe, expect, it } from 'vitest'
import { refused, signedIn, signIn } from '../testing/api-sign-in.js'
import { apiKeys, apiManifest, apiPool, apiWorld, otherKeys, wallets } from '../testing/api-world.js'

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
