import { expect, it } from 'vitest'
import type { HeadKeeper } from '../anchor/head-keeper.js'
import { apiWorld, wallets } from '../testing/api-world.js'

const digest = `sha256:${'0'.repeat(64)}` as const
const statement = { statement: {}, context: {}, signature: '0x', signer: `0x${'a'.repeat(40)}` } as never

function keeperOf(asked: unknown[]): HeadKeeper {
  return {
    ask: async (...call) => {
      asked.push(call)
      return { state: 'known', head: statement, conflict: null }
    },
    keep: async (...call) => {
      asked.push(call)
      return { state: 'differs', head: null }
    },
    conflicts: async () => [{ node: `0x${'b'.repeat(40)}`, statements: [statement, statement] }],
    figures: () => ({}),
  }
}

it('a keeper is asked and told inside sealed calls, by nobody in particular: the statement says who', async () => {
  const asked: unknown[] = []
  const world = apiWorld({ open: false }, { service: { headKeeper: keeperOf(asked) } })
  const call = async (path: string, body: object) => (await world.call('POST', path, { body })).body
  expect(await call('/v1/heads/ask', { question: { a: 1 } })).toMatchObject({
    state: 'known',
    head: statement,
  })
  expect(await call('/v1/heads/keep', { head: { b: 1 }, previous: digest })).toMatchObject({
    state: 'differs',
  })
  expect(await call('/v1/heads/keep', { head: { b: 1 }, previous: null })).toMatchObject({ state: 'differs' })
  expect(asked).toEqual([[{ a: 1 }], [{ b: 1 }, digest], [{ b: 1 }, null]])
  for (const [path, body] of [
    ['/v1/heads/ask', []],
    ['/v1/heads/ask', { question: {}, more: 1 }],
    ['/v1/heads/keep', { head: {} }],
    ['/v1/heads/keep', { head: {}, previous: 'x' }],
  ] as const)
    expect(await call(path, body)).toMatchObject({ error: { code: 'HEADS_BODY' } })
  expect(asked).toHaveLength(3)
  expect((await world.call('GET', '/v1/heads/conflicts', {})).body).toMatchObject({
    conflicts: [{ statements: [statement, statement] }],
  })
})

it('in the open nothing is asked, and a node that keeps none says so', async () => {
  const asked: unknown[] = []
  const { fetch } = apiWorld({ open: true }, { service: { headKeeper: keeperOf(asked) } })
  const bare = await fetch('https://node.example/v1/heads/ask', { method: 'POST', body: '{"question":{}}' })
  expect(await bare.json()).toMatchObject({ error: { code: 'SEALED_CALL_REQUIRED' } })
  expect(asked).toEqual([])
  const none = apiWorld()
  for (const [method, path] of [
    ['POST', '/v1/heads/ask'],
    ['POST', '/v1/heads/keep'],
    ['GET', '/v1/heads/conflicts'],
  ] as const)
    expect((await none.call(method, path, { body: {} })).body).toMatchObject({
      error: { code: 'HEADS_NOT_KEPT' },
    })
})

it('a node that waits for the word of its peers answers what others need of it, and nothing else', async () => {
  let waits = true
  const world = apiWorld(
    { open: true },
    {
      service: {
        headKeeper: keeperOf([]),
        unconfirmed: () => waits,
        notReady: () => ['PEERS_SILENT: 0 of 1'],
        notes: () => ['a note'],
      },
    },
  )
  const refused = { error: { code: 'STATE_UNCONFIRMED' } }
  for (const path of ['/v1/pools', '/v1/jobs/7', '/v1/log/checkpoint', '/v1/migration', '/v1/deletions'])
    expect((await world.call('GET', path, {})).body).toMatchObject(refused)
  expect(await world.session(wallets.peer, ['peer'])).toBe('')
  for (const path of ['/v1/health', '/v1/evidence', '/v1/heads/conflicts'])
    expect((await world.call('GET', path, {})).body).not.toMatchObject(refused)
  expect((await world.call('POST', '/v1/heads/ask', { body: { question: {} } })).body).toMatchObject({
    state: 'known',
  })
  const ready = await world.fetch('https://node.example/v1/ready')
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { simulated: true, ready: false, reasons: ['PEERS_SILENT: 0 of 1'], notes: ['a note'] },
  ])
  waits = false
  expect((await world.call('GET', '/v1/pools', {})).body).not.toMatchObject(refused)
})
