import { createHash, generateKeyPairSync } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { keySetDigest } from '@sealpool/crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { mintCapability } from '../access/capability.js'
import { credentialAudience } from '../access/present-credential.js'
import { cliWorld } from '../testing/cli-world.js'

/* Tokens of agents by the command. At a real node: packages/enclave-node/src/runtime/signed-in.test.ts. */

const setUp = await cliWorld()
const { served, at, asJson, sealpool, config } = setUp
afterAll(() => setUp.close())

const head = {
  format: 'sealpool/capability',
  version: 1,
  id: 'ab'.repeat(16),
  use: 'agent',
  keySet: `sha256:${'cd'.repeat(32)}`,
  address: `0x${'ef'.repeat(20)}`,
  roles: ['contributor', 'consumer'],
  issuedAt: 1_790_000_000,
  expiresAt: 1_790_086_400,
} as const
const token = mintCapability({ key: new Uint8Array(32).fill(1), head })
await writeFile(at('agent.token'), `${token}\n`, { mode: 0o600 })

describe('tokens', () => {
  test('of a node go into a file of their own, and are not printed', async () => {
    served.routes['/v1/tokens'] = () => ({ simulated: true, token, id: head.id, expiresAt: head.expiresAt })
    const { code, json } = await asJson(2, 'give-token', at('given.token'), '--jobs', '4, 7')
    expect({ code, json }).toEqual({
      code: 0,
      json: { id: head.id, expiresAt: head.expiresAt, caveats: [{ jobs: ['4', '7'] }] },
    })
    expect(await readFile(at('given.token'), 'utf8')).toBe(`${token}\n`)
    expect((await stat(at('given.token'))).mode & 0o777).toBe(0o600)
    // No byte of the call in the clear: the fake node opened it.
    expect(served.seen.filter(({ path }) => path === '/v1/tokens').map(({ method }) => method)).toEqual([
      'POST',
    ])
  })

  test('leave no file when the node does not give one', async () => {
    served.routes['/v1/tokens'] = () => ({ simulated: true, token: 7 })
    const { code, json } = await asJson(2, 'give-token', at('none.token'))
    expect({ code, json }).toMatchObject({ code: 3, json: { error: { code: 'NODE_ANSWER_INVALID' } } })
    await expect(stat(at('none.token'))).rejects.toThrow()
  })

  test('are narrowed without a node, and say what they say', async () => {
    const narrowed = await sealpool(
      ['narrow-token', '-', at('narrow.token'), '--lifetime', '60', '--named', '--json'],
      {
        stdin: `${token}\n`,
      },
    )
    expect(narrowed.code).toBe(0)
    const said = JSON.parse(narrowed.out) as { names: string[]; expiresAt: number }
    expect(said.names).toEqual([head.id, expect.stringMatching(/^[0-9a-f]{32}$/)])
    expect(said.expiresAt).toBeLessThanOrEqual(head.expiresAt)
    const shown = await sealpool(['show-token', at('narrow.token')])
    expect(shown.out).toContain(said.names.join(' > '))
    for (const { out } of [narrowed, shown]) expect(out).not.toContain(token.slice(-20))
  })

  test.each([
    ['no time', ['give-token', 'a', '--lifetime', '0'], '--lifetime'],
    ['too much time', ['give-token', 'a', '--lifetime', '7776001'], '--lifetime'],
    ['a pool that is none', ['give-token', 'a', '--pools', 'x'], '--pools'],
    ['a job that is none', ['give-token', 'a', '--jobs', '1,,2'], '--jobs'],
    ['nothing to narrow by', ['narrow-token', 'agent.token', 'a'], 'arguments'],
    ['a file that is not there', ['show-token', 'nowhere'], '<token-file>'],
  ])('are not made with %s', async (_name, [command = '', ...args], place) => {
    const paths = args.map((arg) => (['a', 'agent.token', 'nowhere'].includes(arg) ? at(arg) : arg))
    const more = command === 'give-token' ? ['--config', config, '--key-file', at('key-2')] : []
    const { code, out } = await sealpool([command, ...paths, ...more, '--json'])
    expect({ code, json: JSON.parse(out) }).toMatchObject({ code: 2, json: { error: { place } } })
    await expect(stat(at('a'))).rejects.toThrow()
  })

  test('that are none are not narrowed', async () => {
    const { code, out } = await sealpool(['narrow-token', at('key-2'), at('a'), '--jobs', '1', '--json'])
    expect({ code, json: JSON.parse(out) }).toMatchObject({
      code: 3,
      json: { error: { code: 'CAPABILITY_INVALID' } },
    })
    await expect(stat(at('a'))).rejects.toThrow()
  })

  test('and keys are not both read from standard input', async () => {
    const { code } = await sealpool([
      'status',
      '1',
      '--config',
      config,
      '--key-file',
      '-',
      '--token-file',
      '-',
    ])
    expect(code).toBe(2)
  })
})

describe('a credential', () => {
  const base64Url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
  const nonce = `${'ab'.repeat(37)}.0x${'cd'.repeat(20)}`
  const condition = `sha256:${'0'.repeat(64)}`
  const audience = credentialAudience(keySetDigest(setUp.pool.node.keySet))
  const holder = generateKeyPairSync('ed25519')
  const stranger = generateKeyPairSync('ed25519')
  const role = base64Url(['salt', 'role', 'researcher'])
  const name = base64Url(['salt', 'name', 'canary'])
  const token = `${base64Url({ alg: 'ES256' })}.${base64Url({
    iss: 'urn:i',
    vct: 'urn:t',
    cnf: { jwk: holder.publicKey.export({ format: 'jwk' }) },
    _sd: [digest(role), digest(name)],
  })}.c2ln`
  const credential = {
    issuer: 'urn:i',
    keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }],
    type: 'urn:t',
    claims: [{ path: ['role'], oneOf: ['researcher'] }],
    presentedWithin: 3_600,
  }
  const answers = (...conditions: object[]) => {
    served.seen.length = 0
    const { pool } = setUp.pool.contracts
    served.routes['/v1/presentation'] = () => ({ simulated: true, nonce, pool, conditions })
  }
  const posted = () =>
    served.seen.flatMap(({ method, path, body }) =>
      method === 'POST' && path === '/v1/presentation' ? [JSON.parse(body)] : [],
    )
  const counts = { condition, until: 1_790_000_000, reason: null }
  const own = ['--config', config, '--key-file', at('key-2')]
  const shown = ['--holder-key-file', at('holder.jwk'), '--restriction', at('restriction.json'), ...own]

  test('is shown with what the conditions ask for and no more, signed for this node, and nothing of it is printed', async () => {
    const jwk = JSON.stringify(holder.privateKey.export({ format: 'jwk' }))
    await writeFile(at('holder.jwk'), jwk, { mode: 0o600 })
    await writeFile(at('held'), `${[token, role, name].join('~')}~\n`, { mode: 0o600 })
    await writeFile(at('restriction.json'), JSON.stringify({ access: { version: 1, use: { credential } } }))
    await writeFile(at('list'), 'a.status.list\n')
    answers({ condition, until: null, reason: 'EXPIRED' }, counts)
    const { code, out, err } = await sealpool([
      'present-credential',
      at('held'),
      '--status-list',
      at('list'),
      ...shown,
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/does not count: EXPIRED\n.*counts until 2026-09-21T/)
    const [{ presentation, ...rest }, ...more] = posted()
    expect([rest, more]).toEqual([
      { pool: setUp.pool.contracts.pool.toLowerCase(), nonce, statusList: 'a.status.list' },
      [],
    ])
    const [first, second, proof, ...others] = presentation.split('~')
    expect([first, second, others]).toEqual([token, role, []])
    expect(JSON.parse(Buffer.from(proof.split('.')[1], 'base64url').toString())).toMatchObject({
      nonce,
      aud: audience,
    })
    expect(out).not.toMatch(/canary|researcher/)
  })

  test('that meets no condition is said to, by the exit code', async () => {
    answers({ condition, until: null, reason: 'STATUS_NOT_VALID' })
    const { code, json } = await asJson(2, 'present-credential', at('held'), ...shown.slice(0, 4))
    expect({ code, json }).toEqual({
      code: 1,
      json: { conditions: [{ condition, until: null, reason: 'STATUS_NOT_VALID' }] },
    })
  })

  test('may be signed by a wallet elsewhere: it is told for whom, and asked for the presentation', async () => {
    answers(counts)
    const { code, out, err } = await sealpool(['present-credential', '-', '--json', ...own], {
      stdin: 'a.b.c~d.e.f\n',
    })
    expect({ code, told: JSON.parse(err), json: JSON.parse(out) }).toEqual({
      code: 0,
      told: { nonce, audience },
      json: { conditions: [counts] },
    })
    expect(posted()).toMatchObject([{ presentation: 'a.b.c~d.e.f', statusList: null }])
    answers(counts)
    expect((await sealpool(['present-credential', '-', ...own])).code).toBe(2)
    expect(posted()).toEqual([])
  })

  test('is not asked for, nor shown, when something here is wrong', async () => {
    answers(counts)
    const wrong = JSON.stringify(stranger.privateKey.export({ format: 'jwk' }))
    await writeFile(at('other.jwk'), wrong, { mode: 0o600 })
    for (const [args, said] of [
      [[at('held'), ...own], 'give the holder’s key'],
      [
        [at('held'), '--holder-key-file', at('other.jwk'), ...shown.slice(2)],
        'not the key that the credential names',
      ],
      [[at('held'), ...shown.slice(0, 2), ...own], 'ask for no such credential'],
      [['-', '--holder-key-file', '-', ...own], 'standard input is one of them alone'],
      [['-', '--config', config, '--key-file', '-'], 'standard input is one of them alone'],
      [[at('holder.jwk'), ...shown], 'expected an SD-JWT'],
    ] as const) {
      const { code, err } = await sealpool(['present-credential', ...args], { stdin: `${setUp.keyOf(2)}\n` })
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(said) })
      expect(err).not.toMatch(/canary|"d"/)
    }
    expect(served.seen.filter(({ path }) => path === '/v1/presentation')).toEqual([])
  })
})
