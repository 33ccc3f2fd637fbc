import { addressOf, type JsonObject, signStatement } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { runCli } from '../cli/run.js'
import { searchCatalogue, similarPools } from './catalogue.js'

const privateKey = new Uint8Array(32).fill(7)
const pool = `0x${'ab'.repeat(20)}` as const
const digest = `sha256:${'1'.repeat(64)}`
const body = {
  pool,
  node: addressOf(privateKey),
  url: 'https://node.example',
  name: 'pay',
  description: 'Wages.',
  purposes: ['research'],
  policy: digest,
  epoch: 1,
  schema: digest,
  tables: [
    {
      name: 'workers',
      description: '',
      columns: [{ name: 'wage', type: 'decimal', unit: null, description: '' }],
    },
  ],
  contributions: 6,
  price: '5',
  poolTokenBurn: '0',
  measurement: `0x${'3'.repeat(64)}`,
  simulated: true,
  newestBlock: null,
  issuedAt: 1,
  expiresAt: 4_000_000_000,
}
const signed = (change: JsonObject = {}, type = 'sealpool/catalogue-entry', about: `0x${string}` = pool) =>
  JSON.parse(
    JSON.stringify(
      signStatement({
        statement: { type, version: 1, body: { ...body, ...change } },
        context: {
          chainId: 1,
          registry: pool,
          pool: about,
          subject: `0x${'0'.repeat(64)}`,
          nonce: '0',
          facts: [],
        },
        privateKey,
      }),
    ),
  ) as { statement: { body: Record<string, unknown> } }
const asked: string[] = []
const answering = (json: unknown, status = 200): typeof fetch =>
  (async (input: string | URL | Request) => {
    asked.push(String(input))
    return Response.json(json, { status })
  }) as typeof fetch
const search = (json: unknown, status?: number) =>
  searchCatalogue({ url: 'https://node.example/', fetch: answering(json, status) })
const page = (...entries: readonly unknown[]) => ({
  simulated: true,
  total: entries.length,
  entries,
  next: null,
})

describe('searchCatalogue', () => {
  test('gives entries as their nodes signed them, and asks for nothing else', async () => {
    const found = await searchCatalogue({
      url: 'https://node.example/under/',
      text: 'wages & more',
      after: `16.${pool}`,
      fetch: answering(page(signed())),
    })
    expect(found).toMatchObject({ total: 1, next: null, entries: [{ name: 'pay', pool, contributions: 6 }] })
    expect(asked.at(-1)).toBe(`https://node.example/under/v1/catalogue?text=wages+%26+more&after=16.${pool}`)
  })

  const altered = signed()
  altered.statement.body['price'] = '0'
  test.each<readonly [string, unknown, RegExp]>([
    ['an altered entry', page(signed(), altered), /entry 1.*signature/],
    ['an entry in another node’s name', page(signed({ node: pool })), /signature/],
    ['another statement', page(signed({}, 'sealpool/receipt')), /something else/],
    ['a statement for another pool', page(signed({}, undefined, `0x${'cd'.repeat(20)}`)), /another pool/],
    ['an address that would run in a page', page(signed({ url: 'javascript:alert(1)' })), /url/],
    ['one that has expired', page(signed({ expiresAt: 1_600_000_000 })), /expired/],
    ['the same pool twice', page(signed(), signed({ name: 'other' })), /twice/],
    ['no statement', page({}), /signed statement/],
    ['more than a page has', page(...Array.from({ length: 1_001 }, () => ({}))), /more than 1000 entries/],
    ['no page', { entries: 7 }, /another shape/],
    ['no JSON object', null, /another shape/],
  ])('%s is refused', async (_name, json, message) => {
    await expect(search(json)).rejects.toMatchObject({
      code: 'NODE_ANSWER_INVALID',
      message: expect.stringMatching(message),
    })
  })

  test('what was signed for another chain or registry, or has another schema, was not asked for', async () => {
    const asking = (more: object) =>
      searchCatalogue({ url: 'https://node.example/', fetch: answering(page(signed())), ...more })
    const deployment = { chainId: 1, nodeRegistry: pool }
    expect(await asking({ deployment, schema: digest })).toMatchObject({
      entries: [{ chainId: 1, registry: pool }],
    })
    const shouted = `0x${'AB'.repeat(20)}`
    expect((await asking({ deployment: { ...deployment, nodeRegistry: shouted } })).entries).toHaveLength(1)
    for (const more of [
      { deployment: { ...deployment, chainId: 2 } },
      { deployment: { ...deployment, nodeRegistry: `0x${'cd'.repeat(20)}` } },
      { schema: `sha256:${'2'.repeat(64)}` },
    ])
      await expect(asking(more)).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  })

  test('an entry is good until its last second, by the clock that is given', async () => {
    const at = (seconds: number) =>
      searchCatalogue({
        url: 'https://node.example/',
        fetch: answering(page(signed())),
        now: () => new Date(seconds * 1000),
      })
    expect((await at(3_999_999_999)).entries).toHaveLength(1)
    await expect(at(4_000_000_000)).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  })

  test('a refusal is told by the node’s code, and a broken connection as such', async () => {
    const refusal = { simulated: true, error: { code: 'RATE_LIMITED', message: 'too many' } }
    await expect(search(refusal, 429)).rejects.toMatchObject({
      code: 'NODE_REFUSED',
      nodeCode: 'RATE_LIMITED',
    })
    await expect(search('x', 500)).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
    const broken = (async () => Promise.reject(new TypeError('no route'))) as typeof fetch
    await expect(searchCatalogue({ url: 'http://a', fetch: broken })).rejects.toMatchObject({
      code: 'NODE_UNREACHABLE',
    })
    for (const url of ['node', 'ftp://a', 'https://me@a', 'https://:me@a', 'https://a/?b', 'https://a/#b'])
      await expect(searchCatalogue({ url })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('similarPools', () => {
  const asked_ = `0x${'cd'.repeat(20)}` as const
  const like = (json: unknown, about: `0x${string}` = asked_) =>
    similarPools({ url: 'https://node.example', pool: about, fetch: answering(json) })
  const one = { likeness: 400, entry: signed() }
  const second = `0x${'ef'.repeat(20)}` as const
  const more = (likeness: number) => ({ likeness, entry: signed({ pool: second }, undefined, second) })

  test('gives entries as their nodes signed them, the most alike first', async () => {
    const found = await like({ simulated: true, pool: asked_, similar: [one, more(400)] })
    expect(found.map(({ likeness, entry }) => [likeness, entry.pool])).toEqual([
      [400, pool],
      [400, second],
    ])
    expect(asked.at(-1)).toBe(`https://node.example/v1/catalogue/${asked_}/similar`)
  })

  const altered = signed()
  altered.statement.body['price'] = '0'
  test.each<readonly [string, unknown, RegExp]>([
    ['an altered entry', { pool: asked_, similar: [{ likeness: 4, entry: altered }] }, /signature/],
    [
      'the pool itself',
      { pool: asked_, similar: [{ likeness: 4, entry: signed({ pool: asked_ }, undefined, asked_) }] },
      /asked for/,
    ],
    ['an answer about another pool', { pool: second, similar: [one] }, /asked for/],
    ['the more alike later', { pool: asked_, similar: [one, more(401)] }, /order/],
    ['more than wholly alike', { pool: asked_, similar: [{ ...one, likeness: 1_001 }] }, /order/],
    ['a pool twice', { pool: asked_, similar: [one, one] }, /twice/],
    [
      'an expired one',
      { pool: asked_, similar: [{ likeness: 4, entry: signed({ expiresAt: 9 }) }] },
      /expired/,
    ],
    ['no number', { pool: asked_, similar: [{ entry: signed() }] }, /another shape/],
  ])('%s is refused', async (_name, json, message) => {
    await expect(like(json)).rejects.toMatchObject({
      code: 'NODE_ANSWER_INVALID',
      message: expect.stringMatching(message),
    })
  })

  test('a pool without an address is asked about nowhere', async () => {
    const before = asked.length
    await expect(like({}, '0x../../x')).rejects.toMatchObject({ code: 'OPTION_INVALID', place: 'pool' })
    expect(asked.length).toBe(before)
  })
})

describe('the command', () => {
  const run = async (...args: readonly string[]) => runOf('catalogue', ...args)
  const runOf = async (...args: readonly string[]) => {
    const out: string[] = []
    const code = await runCli(args, {
      out: (text) => out.push(text),
      err: (text) => out.push(text),
      env: {},
      stdin: async () => '',
    })
    return { code, out: out.join('') }
  }
  const withAnswer = async (json: unknown, ...args: readonly string[]) => {
    const before = globalThis.fetch
    globalThis.fetch = answering(json)
    try {
      return await run(...args)
    } finally {
      globalThis.fetch = before
    }
  }

  test('lists pools, says which nodes are simulated, and where it goes on', async () => {
    const next = `16.${pool}`
    const { code, out } = await withAnswer(
      { ...page(signed()), total: 60, next },
      'wages',
      '--node',
      'https://node.example',
      '--schema',
      digest,
    )
    expect(code).toBe(0)
    expect(out).toContain('(SIMULATED)')
    expect(out).toContain('6+')
    expect(out).toContain(`1 of 60; go on with --after ${next}`)
    expect(asked.at(-1)).toContain(`schema=${encodeURIComponent(digest)}`)
    const all = await withAnswer(page(signed()), '', '--node', 'https://node.example', '--json')
    expect(JSON.parse(all.out)).toMatchObject({ total: 1 })
    expect(asked.at(-1)).not.toContain('text=')
  })

  test('shows what is like a pool', async () => {
    const about = `0x${'cd'.repeat(20)}`
    const before = globalThis.fetch
    globalThis.fetch = answering({ pool: about, similar: [{ likeness: 425, entry: signed() }] })
    try {
      const { code, out } = await runOf('similar', about, '--node', 'https://node.example')
      expect(code).toBe(0)
      expect(out).toMatch(/42\.5 %\s+pay\s+0xabab.*\(SIMULATED\)/)
      expect((await runOf('similar', 'pay', '--node', 'https://node.example')).code).toBe(2)
    } finally {
      globalThis.fetch = before
    }
  })

  test('is told what it lacks', async () => {
    expect((await run('wages')).code).toBe(2)
    expect((await run('wages', '--node', 'https://a', '--schema', 'x')).code).toBe(2)
  })
})
