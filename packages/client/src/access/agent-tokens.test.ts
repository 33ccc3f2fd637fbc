import { expect, test } from 'vitest'
import { agentTokens } from './agent-tokens.js'
import type { AccessDoor } from './node-access.js'

const door: AccessDoor = {
  nodeUrl: 'http://node.example/',
  chainId: 1,
  fetch: undefined,
  keySet: () => Promise.reject(new Error('nobody asks for it')),
  random: () => new Uint8Array(0),
  now: () => new Date(0),
}

/** Tokens over a sealed fetch that answers so. */
function over(answer: () => Response) {
  const seen: string[] = []
  const tokens = agentTokens(() => async (input, init) => {
    seen.push(`${init?.method} ${String(input)} ${String(init?.body)}`)
    return answer()
  })
  return { tokens, seen, open: () => tokens.access(door) }
}

test('tokens are made and revoked through the access of a client, and before there is one not at all', async () => {
  const { tokens, seen, open } = over(() => Response.json({ revoked: 'ab'.repeat(16) }))
  await expect(tokens.revoke('t')).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  expect(seen).toEqual([])
  open()
  expect(await tokens.revoke('t')).toBe('ab'.repeat(16))
  expect(seen).toEqual(['POST http://node.example/v1/tokens/revoke {"token":"t"}'])
})

test.each([
  ['no JSON', () => new Response('<html>')],
  ['another shape', () => Response.json({ token: 7 })],
  ['a name that is none', () => Response.json({ token: 'x', id: 'AB', expiresAt: 5 })],
  ['no end', () => Response.json({ token: 'x', id: 'ab'.repeat(16), expiresAt: 0 })],
  ['a no without a reason', () => Response.json({}, { status: 403 })],
  ['too much', () => new Response('x'.repeat(70_000))],
])('an answer with %s is none', async (_name, answer) => {
  const { tokens, open } = over(answer)
  open()
  await expect(tokens.create({ expiresAt: 7, caveats: [] })).rejects.toMatchObject({
    code: 'NODE_ANSWER_INVALID',
  })
})

test('a no is told with the node’s code', async () => {
  const no = { error: { code: 'ROLE_NOT_ALLOWED', message: 'no' } }
  const { tokens, open } = over(() => Response.json(no, { status: 403 }))
  open()
  await expect(tokens.create({ expiresAt: 7, caveats: [] })).rejects.toMatchObject({
    code: 'NODE_REFUSED',
    nodeCode: 'ROLE_NOT_ALLOWED',
  })
})

test('a connection that breaks is told as that, and not what the platform says of it', async () => {
  const { tokens, open } = over(() => {
    throw new TypeError('fetch failed: https://user:secret@node.example')
  })
  open()
  for (const call of [() => tokens.create({ expiresAt: 7, caveats: [] }), () => tokens.revoke('t')]) {
    const failed = await call().catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ClientError', code: 'NODE_UNREACHABLE' })
    expect(String(failed)).not.toContain('secret')
  }
})
