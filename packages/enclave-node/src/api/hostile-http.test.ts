import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiManifest as manifest } from '../testing/api-world.js'
import { apiErrorTexts } from './api-error.js'
import { nodeApi } from './node-api.js'
import type { NodeService } from './node-service.js'
import { callerOf, rateLimiter } from './rate-limit.js'
import { type ServedApi, serveApi } from './serve-api.js'

const digest = `sha256:${'0'.repeat(64)}` as const
let asked = 0
const service = {
  simulated: true,
  notReady: () => [],
  plan: async () => {
    asked += 1
    throw new Error('reached the planner')
  },
  evidence: async () => ({ simulated: true }),
} as unknown as NodeService

let api: ServedApi
let impatient: { readonly headers: ServedApi; readonly request: ServedApi }
beforeAll(async () => {
  api = await serveApi({
    app: nodeApi(service, () => undefined),
    host: '127.0.0.1',
    port: 0,
  })
  // Only for those who are slow on purpose: on a busy machine, others are as well.
  const hasty = { app: nodeApi(service, () => undefined), host: '127.0.0.1', port: 0 }
  impatient = {
    headers: await serveApi({ ...hasty, headersTimeoutMs: 300, requestTimeoutMs: 60_000 }),
    request: await serveApi({ ...hasty, headersTimeoutMs: 600, requestTimeoutMs: 600 }),
  }
})
afterAll(() => Promise.all([api, impatient.headers, impatient.request].map((one) => one.close())))

/** Writes bytes as they are and gives back all that comes until the other end closes. */
function raw(first: string, drip?: string, at: ServedApi = api): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(at.url).port), '127.0.0.1')
    let answer = ''
    const timer = drip === undefined ? undefined : setInterval(() => socket.write(drip), 50)
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      resolve(answer)
    })
    socket.write(first)
  })
}
const statuses = (answer: string): readonly string[] => answer.match(/^HTTP\/1\.1 \d{3}/gm) ?? []
const post = (headers: string, body: string): string =>
  `POST /v1/plan HTTP/1.1\r\nHost: node\r\nConnection: close\r\n${headers}\r\n${body}`

describe('requests that two servers would read in two ways', () => {
  const smuggled = 'GET /v1/health HTTP/1.1\r\nHost: node\r\n\r\n'
  it.each([
    [
      'a length and chunks',
      post(`Content-Length: 6\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${smuggled}`),
    ],
    ['two lengths', post(`Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n`, smuggled)],
    ['a length with a sign', post('Content-Length: +2\r\n', '{}')],
    ['a length that is no number', post('Content-Length: 0x2\r\n', '{}')],
    [
      'two codings',
      post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', `0\r\n\r\n${smuggled}`),
    ],
    [
      'a coding with a space before its colon',
      post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${smuggled}`),
    ],
    ['a chunk whose size is no number', post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n')],
    ['a folded header', post('X-A: b\r\n c\r\nContent-Length : 2\r\n', '{}')],
    ['a null in a header', post('X-A: \0\r\nContent-Length: 2\r\n', '{}')],
    ['no host', 'GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['no version that there is', 'GET /v1/health HTTP/9.9\r\nHost: node\r\n\r\n'],
    ['no words of HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('with %s get one refusal and nothing else', async (_, request) => {
    const before = asked
    const answer = await raw(request)
    expect(statuses(answer)).toEqual(['HTTP/1.1 400'])
    expect(asked).toBe(before)
  })

  it('with headers that never end are cut off', async () => {
    expect(
      statuses(await raw(`GET /v1/health HTTP/1.1\r\nHost: node\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`)),
    ).toEqual(['HTTP/1.1 431'])
    const many = Array.from({ length: 3_000 }, (_, index) => `X-${index}: 1\r\n`).join('')
    expect(statuses(await raw(`GET /v1/health HTTP/1.1\r\nHost: node\r\n${many}\r\n`))).toEqual([
      'HTTP/1.1 431',
    ])
  })
})

describe('slow senders', () => {
  it('of headers are cut off', async () => {
    expect(
      statuses(await raw('GET /v1/health HTTP/1.1\r\nHost: node\r\n', 'X-A: b\r\n', impatient.headers)),
    ).toEqual(['HTTP/1.1 408'])
  }, 20_000)

  it('of a body are cut off, and the planner is never asked', async () => {
    const before = asked
    const answer = await raw(
      'POST /v1/plan HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
      ' ',
      impatient.request,
    )
    expect(answer).not.toContain(' 200 ')
    expect(asked).toBe(before)
  }, 20_000)

  it('leave room for others as long as they are few, and cannot take more connections than there are', async () => {
    const few = await serveApi({
      app: nodeApi(service, () => undefined),
      host: '127.0.0.1',
      port: 0,
      maximumConnections: 3,
    })
    const idle = (count: number) =>
      Array.from({ length: count }, () => {
        const socket = connect(Number(new URL(few.url).port), '127.0.0.1')
        socket.on('error', () => undefined)
        return socket
      })
    const [first, second] = idle(2)
    expect((await fetch(`${few.url}/v1/health`, { headers: { connection: 'close' } })).status).toBe(200)
    const more = idle(5)
    await Promise.race(more.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    for (const one of [first, second, ...more]) one?.destroy()
    await few.close()
  })
})

describe('bodies', () => {
  it('above the limit are refused, announced or in chunks', async () => {
    const large = 'x'.repeat(300_000)
    const announced = await fetch(`${api.url}/v1/plan`, { method: 'POST', body: large }).catch(
      () => undefined,
    )
    if (announced !== undefined) expect(announced.status).toBe(413)
    const chunks = Array.from({ length: 300 }, () => `400\r\n${'x'.repeat(1_024)}\r\n`).join('')
    const answer = await raw(post('Transfer-Encoding: chunked\r\n', `${chunks}0\r\n\r\n`))
    expect(statuses(answer)).toEqual(['HTTP/1.1 413'])
  })

  it.each(['gzip', 'br', 'deflate', 'GZIP', 'gzip, gzip', 'x'])(
    'that are packed (%s) are not unpacked',
    async (name) => {
      const bomb = gzipSync(Buffer.alloc(10_000_000))
      const response = await fetch(`${api.url}/v1/plan`, {
        method: 'POST',
        body: bomb,
        headers: { 'content-encoding': name },
      })
      expect(response.status).toBe(415)
      expect(await response.json()).toEqual({
        simulated: true,
        error: { code: 'ENCODING_UNSUPPORTED', message: apiErrorTexts.ENCODING_UNSUPPORTED },
      })
    },
  )

  it('that say they are not packed are read', async () => {
    const response = await fetch(`${api.url}/v1/plan`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-encoding': 'Identity' },
    })
    expect(response.status).toBe(400)
  })

  it('of JSON that is nested deeper than any manifest are refused', async () => {
    const deep = `{"manifest":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const response = await fetch(`${api.url}/v1/plan`, { method: 'POST', body: deep })
    expect(response.status).toBe(400)
  })
})

describe('addresses', () => {
  it('that are too long are refused before anything looks at them', async () => {
    const response = await fetch(`${api.url}/v1/jobs/${'1'.repeat(3_000)}`)
    expect(response.status).toBe(414)
  })

  it.each([
    '/v1/../v1/plan',
    '/v1/%2e%2e/secret',
    '//v1/health',
    '/v1/health/',
    '/v1/HEALTH',
    '/v1/evidence%00',
  ])('%s lead nowhere', async (path) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n`)
    expect(statuses(answer)).toEqual(['HTTP/1.1 404'])
  })

  it.each(['PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS'])('take no %s', async (method) => {
    const answer = await raw(`${method} /v1/plan HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n`)
    expect(statuses(answer)).toEqual(['HTTP/1.1 404'])
  })
})

describe('the rate', () => {
  const at = (address: string | undefined) => ({ incoming: { socket: { remoteAddress: address } } })
  it('of one address is bounded and told, and that of another is its own', async () => {
    let clock = 0
    const own = nodeApi(
      service,
      () => undefined,
      { calls: { perSecond: 2, burst: 3 }, costly: { perSecond: 0.1, burst: 1 } },
      () => clock,
    )
    const call = async (path: string, address: string) => own.request(path, undefined, at(address))
    const statusesOf = async (count: number, address: string) => {
      const all: number[] = []
      for (let n = 0; n < count; n++) all.push((await call('/v1/health', address)).status)
      return all
    }
    expect(await statusesOf(5, '10.0.0.1')).toEqual([200, 200, 200, 429, 429])
    expect(await statusesOf(1, '10.0.0.2')).toEqual([200])
    const refused = await call('/v1/health', '10.0.0.1')
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refused.json()).toMatchObject({ simulated: true, error: { code: 'RATE_LIMITED' } })
    clock = 1_000
    expect(await statusesOf(3, '10.0.0.1')).toEqual([200, 200, 429])
    clock = 1_000_000
    expect(await statusesOf(4, '10.0.0.1')).toEqual([200, 200, 200, 429])
    const nonce = `/v1/evidence?nonce=0x${'ab'.repeat(32)}`
    expect((await call(nonce, '10.0.0.3')).status).toBe(200)
    const costly = await call(nonce, '10.0.0.3')
    expect([costly.status, costly.headers.get('retry-after')]).toEqual([429, '10'])
    expect((await call('/v1/health', '10.0.0.3')).status).toBe(200)
    const plan = async () =>
      (await own.request('/v1/plan', { method: 'POST', body: '' }, at('10.0.0.4'))).status
    expect([await plan(), await plan()]).toEqual([400, 429])
  })

  it('of plans is what the machine can do: the others wait, and who asks for too many is told when to come again', async () => {
    let planning = 0
    let most = 0
    const ends: (() => void)[] = []
    const plan = async () => {
      planning += 1
      most = Math.max(most, planning)
      await new Promise<void>((resolve) => ends.push(resolve))
      planning -= 1
      return { ok: true, explanation: {}, plan: {}, planDigest: digest, live: [] } as const
    }
    const own = nodeApi({ ...service, plan }, () => undefined)
    const ask = async (address: string) =>
      own.request('/v1/plan', { method: 'POST', body: JSON.stringify({ manifest }) }, at(address))
    const answers = Array.from({ length: 209 }, () => ask('10.0.0.1'))
    const refused = await Promise.race(answers)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    expect(await refused.json()).toMatchObject({ error: { code: 'PLANS_WAIT' } })
    const other = ask('10.0.0.2')
    let done = 0
    for (const answer of [...answers, other]) void answer.then(() => (done += 1))
    while (done < 210) {
      ends.shift()?.()
      await setImmediate()
    }
    expect((await other).status).toBe(200)
    expect((await Promise.all(answers)).filter(({ status }) => status === 200)).toHaveLength(208)
    expect(most).toBe(8)
  })

  it('is kept for a bounded number of callers, and a clock that goes back gives nothing away', () => {
    let clock = 0
    const take = rateLimiter({ perSecond: 1, burst: 1 }, () => clock)
    expect([take('a'), take('a')]).toEqual([0, 1])
    clock = -5_000
    expect(take('a')).toBe(1)
    clock = 500
    expect(take('a')).toBe(1)
    for (let n = 0; n < 10_001; n++) take(`caller ${n}`)
    expect(take('a')).toBe(0)
    expect(take('caller 10000')).toBe(1)
  })

  it('forgets who has been away longest, not who came first', () => {
    const take = rateLimiter({ perSecond: 1, burst: 1 }, () => 0)
    take('first')
    for (let n = 0; n < 9_999; n++) take(`caller ${n}`)
    expect(take('first')).toBe(1)
    take('one more')
    expect(take('first')).toBe(1)
    expect(take('caller 0')).toBe(0)
  })

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('of %s is that of %s', (address, caller) => {
    expect(callerOf(address)).toBe(caller)
  })
})

describe('an address where the API cannot listen', () => {
  it('is told with what to do', async () => {
    const app = nodeApi(service, () => undefined)
    const port = Number(new URL(api.url).port)
    await expect(serveApi({ app, host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
      place: `127.0.0.1:${port}`,
      message: expect.stringContaining('another program listens there; stop it, or choose another port'),
    })
    // An address of nobody's machine (RFC 5737).
    await expect(serveApi({ app, host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
      message: expect.stringContaining('choose another address'),
    })
  })
})
