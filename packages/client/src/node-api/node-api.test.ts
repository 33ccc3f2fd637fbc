import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { encodeBase64Url } from '@sealpool/crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClientError } from '../errors.js'
import { nonce } from '../testing/simulated-pool.js'
import { type NodeApi, nodeApi } from './node-api.js'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let url: string
let handler: Handler
let seen: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[]

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      seen.push({ method, path, headers, body: Buffer.concat(parts).toString() })
      handler(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** An API against a server that does as the test says. */
function against(next: Handler, options: { timeoutMs?: number; maximumBytes?: number } = {}): NodeApi {
  seen = []
  handler = next
  return nodeApi({ url, timeoutMs: 5_000, ...options })
}
const answers =
  (body: string | Uint8Array, status = 200, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body)
  }
const json = (value: unknown, status = 200) => answers(JSON.stringify(value), status)

async function errorOf(promise: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await promise.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof ClientError)) throw error
  return error
}

const status = {
  simulated: true,
  id: '7',
  state: 'waiting',
  reason: 'POOL_PAUSED',
  reasonText: 'the pool is paused',
}
const pools = {
  simulated: true,
  pools: [
    {
      pool: `0x${'ab'.repeat(20)}`,
      name: 'pay',
      policyDigest: `sha256:${'cd'.repeat(32)}`,
      epoch: 1,
      poolKey: { publicKey: 'AAAA', keyId: 'sha256:00' },
      statement: { statement: {} },
      live: null,
    },
  ],
}

describe('nodeApi', () => {
  test('reads what a node of an earlier release says, which knows no live pools', async () => {
    const [{ live: _unknown, ...pool }] = pools.pools as [(typeof pools.pools)[number]]
    expect(await against(json({ ...pools, pools: [pool] })).pools()).toEqual(pools.pools)
  })

  test('asks what it says and gives what was answered', async () => {
    const api = against(json(pools))
    expect(await api.pools()).toEqual(pools.pools)
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/pools'])
  })

  test.each<[string, typeof fetch]>([
    ['a fetch that never answers', () => new Promise(() => undefined)],
    [
      'a body that never ends',
      async () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) })),
    ],
  ])(
    'waits no longer than it is told to, whatever a fetch of the caller does with the signal: %s',
    async (_, own) => {
      const api = nodeApi({ url, timeoutMs: 50, fetch: own })
      expect(await errorOf(api.pools())).toMatchObject({ code: 'NODE_UNREACHABLE' })
    },
  )

  test('asks for GPUs where it is to, and else not', async () => {
    const api = against(json({ format: 'x' }))
    await api.evidence(nonce, { gpus: true })
    await api.evidence(nonce, { gpus: false })
    expect(seen.map(({ path }) => path)).toEqual([
      `/v1/evidence?nonce=${nonce}&gpus=true`,
      `/v1/evidence?nonce=${nonce}`,
    ])
  })

  test('sends a nonce, and no cookie, no referrer and no authorisation', async () => {
    const api = against(json({ format: 'x' }))
    expect(await api.evidence(nonce)).toEqual({ format: 'x' })
    const [request] = seen
    expect(request?.path).toBe(`/v1/evidence?nonce=${nonce}`)
    for (const name of ['cookie', 'referer', 'authorization']) expect(request?.headers[name]).toBeUndefined()
  })

  test('posts JSON', async () => {
    const api = against(
      json({ ok: true, simulated: true, explanation: {}, planDigest: pools.pools[0]?.policyDigest }),
    )
    await api.plan({ kind: 'query' })
    expect(seen[0]).toMatchObject({ method: 'POST', path: '/v1/plan', body: '{"manifest":{"kind":"query"}}' })
  })

  test('an id cannot leave its place in the path', async () => {
    const api = against(json({ ...status, id: '../pools?x=1#y' }))
    await api.job('../pools?x=1#y')
    expect(seen[0]?.path).toBe('/v1/jobs/..%2Fpools%3Fx%3D1%23y')
  })

  test('takes an address with a path and slashes at its end', async () => {
    against(json(pools))
    await nodeApi({ url: `${url}/nodes/a//` }).pools()
    expect(seen[0]?.path).toBe('/nodes/a/v1/pools')
  })

  test('decodes a result', async () => {
    const api = against(json({ simulated: true, sealed: encodeBase64Url(Uint8Array.of(1, 2, 3)) }))
    expect(await api.jobResult('7')).toEqual(Uint8Array.of(1, 2, 3))
    expect(seen[0]?.path).toBe('/v1/jobs/7/result')
  })

  test('asks for a recipient’s view of a result', async () => {
    const api = against(json({ simulated: true, sealed: '' }))
    await api.jobResult('7', `0x${'ab'.repeat(20)}`)
    expect(seen[0]?.path).toBe(`/v1/jobs/7/result?recipient=0x${'ab'.repeat(20)}`)
  })

  test('leaves out the policies of pools that the node does not serve', async () => {
    const bundle = {
      simulated: true,
      receipt: {},
      evidence: {},
      policies: { '0xa': null, '0xb': { name: 'pay' } },
      manifest: null,
      plan: null,
      verdicts: {},
    }
    expect((await against(json(bundle)).jobReceipt('7')).policies).toEqual({ '0xb': { name: 'pay' } })
  })

  test('tells a job without other homes from one whose homes’ words the node does not give', async () => {
    const shares = [{ statement: {} }]
    expect(await (await against(json({ simulated: true, job: '7', shares }))).jobShares('7')).toEqual(shares)
    const refusal = (code: string) => json({ error: { code, message: 'x' } }, 404)
    expect(await (await against(refusal('SHARES_UNKNOWN'))).jobShares('7')).toEqual([])
    await expect((await against(refusal('JOB_UNKNOWN'))).jobShares('7')).rejects.toMatchObject({
      nodeCode: 'JOB_UNKNOWN',
    })
  })
})

describe('nodeApi refuses options', () => {
  test.each(['', 'node', 'file:///etc/passwd', 'data:application/json,{}', 'ftp://node'])('url %j', (bad) => {
    expect(() => nodeApi({ url: bad })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', place: 'url' }),
    )
  })
  test.each(['http://user:secret@node', 'http://node/?a=1', 'http://node/#a'])(
    '%s, without showing it',
    (bad) => {
      expect(() => nodeApi({ url: bad })).toThrow(
        expect.objectContaining({
          code: 'OPTION_INVALID',
          message: expect.not.stringContaining('secret') as string,
        }),
      )
    },
  )
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('limits of %d', (value) => {
    for (const name of ['timeoutMs', 'maximumBytes']) {
      expect(() => nodeApi({ url: 'http://node', [name]: value })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', place: name }),
      )
    }
  })
  test('a time that no timer can wait', () => {
    const withTime = (timeoutMs: number) => () => nodeApi({ url: 'http://node', timeoutMs })
    expect(withTime(2 ** 31 - 1)).not.toThrow()
    expect(withTime(2 ** 31)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', place: 'timeoutMs' }))
  })
})

describe('a hostile node', () => {
  test('that answers with too much is cut off', async () => {
    let sent = 0
    const api = against(
      (_request, response) => {
        response.writeHead(200)
        const more = () => {
          while (!response.destroyed && sent < 512 * 1024 * 1024) {
            sent += 65_536
            if (!response.write(Buffer.alloc(65_536, 0x20))) return
          }
        }
        response.on('drain', more)
        more()
      },
      { maximumBytes: 1_000_000 },
    )
    const error = await errorOf(api.pools())
    expect(error).toMatchObject({ code: 'NODE_ANSWER_INVALID', place: 'GET /pools' })
    expect(error.message).toContain('larger than 1000000 bytes')
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  test('that sends a small body which unpacks to a large one is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, 0x20))
    const api = against(answers(bomb, 200, { 'content-encoding': 'gzip' }), { maximumBytes: 1_000_000 })
    expect(await errorOf(api.pools())).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  })

  test('that answers a short question at length is cut off, one that is asked for a result is not', async () => {
    const long = (value: unknown) => answers(JSON.stringify(value) + ' '.repeat(5_000_000))
    expect(await errorOf(against(long(pools)).pools())).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
    expect(await errorOf(against(long(status)).job('7'))).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
    expect(await against(long({ simulated: true, sealed: 'AAAA' })).jobResult('7')).toEqual(new Uint8Array(3))
  })

  test('a body of exactly the limit is taken', async () => {
    const text = JSON.stringify(pools)
    expect(await against(answers(text), { maximumBytes: text.length }).pools()).toEqual(pools.pools)
    expect(await errorOf(against(answers(text), { maximumBytes: text.length - 1 }).pools())).toMatchObject({
      code: 'NODE_ANSWER_INVALID',
    })
  })

  test.each<readonly [string, Handler]>([
    ['never answers', () => undefined],
    [
      'drips its body',
      (_request, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('that %s is given up in time', async (_name, next) => {
    const begin = performance.now()
    const error = await errorOf(against(next, { timeoutMs: 300 }).pools())
    expect(error).toMatchObject({ code: 'NODE_UNREACHABLE', place: 'GET /pools' })
    expect(performance.now() - begin).toBeLessThan(3_000)
  })

  test('that hangs up in the middle', async () => {
    const api = against((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"simulated":')
      setTimeout(() => response.destroy(), 20)
    })
    expect(await errorOf(api.pools())).toMatchObject({ code: 'NODE_UNREACHABLE' })
  })

  test('that redirects is not followed', async () => {
    const api = against((request, response) => {
      if (request.url === '/v1/pools') response.writeHead(302, { location: '/elsewhere' }).end()
      else response.end(JSON.stringify(pools))
    })
    expect(await errorOf(api.pools())).toMatchObject({ code: 'NODE_UNREACHABLE' })
    expect(seen.map(({ path }) => path)).toEqual(['/v1/pools'])
  })

  test('that is not there', async () => {
    const api = nodeApi({ url: 'http://127.0.0.1:9' })
    expect(await errorOf(api.pools())).toMatchObject({ code: 'NODE_UNREACHABLE', place: 'GET /pools' })
  })

  test.each<readonly [string, string | Uint8Array]>([
    ['HTML', '<!doctype html><title>It works!</title>'],
    ['nothing', ''],
    ['half a document', '{"simulated":tr'],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['another shape', '{"simulated":true,"pools":[{"pool":"0x00"}]}'],
    ['a number past all numbers', '{"simulated":true,"pools":[{"epoch":1e999}]}'],
  ])('that answers with %s', async (_name, body) => {
    expect(await errorOf(against(answers(body)).pools())).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  })

  test.each(['null', '[]', '"evidence"', '7'])('whose evidence is %s', async (body) => {
    expect(await errorOf(against(answers(body)).evidence(nonce))).toMatchObject({
      code: 'NODE_ANSWER_INVALID',
    })
  })

  test('whose text is not UTF-8 is not read as something similar', async () => {
    const body = Buffer.from('7b2261223a22ff227d', 'hex')
    expect(await errorOf(against(answers(body)).evidence(nonce))).toMatchObject({
      code: 'NODE_ANSWER_INVALID',
    })
  })

  test('that nests its answer without end', async () => {
    for (const depth of [200, 200_000]) {
      const body = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
      const error = await errorOf(against(answers(body)).evidence(nonce))
      expect(error).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
      expect(error.message).toContain('nested')
    }
  })

  test('that speaks of another contribution or job', async () => {
    const api = against(json({ ...status, id: '8' }))
    for (const call of [() => api.contribution('7'), () => api.job('7'), () => api.runJob('7')]) {
      expect(await errorOf(call())).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
    }
    expect(await against(json(status)).job('7')).toEqual(status)
    expect(await against(json(status)).contribution('7')).toEqual(status)
    expect(await against(json(status)).runJob('7')).toEqual(status)
    // As of a node that gives no sentence.
    const { reasonText: _, ...bare } = status
    expect(await against(json(bare)).contribution('7')).toEqual({ ...bare, reasonText: null })
  })

  test('whose result is not base64url', async () => {
    const api = against(json({ simulated: true, sealed: '=?=' }))
    expect(await errorOf(api.jobResult('7'))).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  })

  test('that refuses with a reason', async () => {
    const api = against(json({ error: { code: 'JOB_UNKNOWN', message: 'There is no such job.' } }, 404))
    const error = await errorOf(api.job('7'))
    expect(error).toMatchObject({ code: 'NODE_REFUSED', nodeCode: 'JOB_UNKNOWN', place: 'GET /jobs/7' })
    expect(error.message).toContain('There is no such job.')
  })

  test('that fails without a reason', async () => {
    for (const body of ['{}', '{"error":"no"}', '{"error":{"code":"not a code","message":""}}']) {
      const error = await errorOf(against(answers(body, 500)).job('7'))
      expect(error).toMatchObject({ code: 'NODE_ANSWER_INVALID', nodeCode: undefined })
      expect(error.message).toContain('HTTP 500')
    }
    expect(await errorOf(against(answers('<h1>oops</h1>', 500)).job('7'))).toMatchObject({
      code: 'NODE_ANSWER_INVALID',
    })
  })

  test('cannot write control characters or a novel into errors', async () => {
    const message = `\u001b[2J\r\nroot logged in ${'x'.repeat(10_000)}`
    const refused = await errorOf(against(json({ error: { code: 'INTERNAL', message } }, 500)).job('7'))
    const shaped = await errorOf(
      against(json({ simulated: true, states: { [message]: 'many' }, refused: {} })).contributionCounts('0x'),
    )
    for (const error of [refused, shaped]) {
      expect(error.message).toMatch(/^[\x20-\x7e]*$/)
      expect(error.message.length).toBeLessThan(500)
    }
  })

  test('any body whatever ends with a value or a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.json(), fc.string()),
        fc.constantFrom(200, 404, 500),
        async (body, code) => {
          const api = against(answers(body, code))
          const result: unknown = await api.contributionCounts('0x').catch((error: unknown) => error)
          if (result instanceof Error) expect(result).toBeInstanceOf(ClientError)
          else expect(code).toBe(200)
        },
      ),
      { numRuns: 60 },
    )
  })
})
