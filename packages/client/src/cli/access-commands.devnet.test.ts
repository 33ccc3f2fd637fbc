import { readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { mintCapability } from '../access/capability.js'
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
