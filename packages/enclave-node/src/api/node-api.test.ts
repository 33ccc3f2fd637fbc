import type { NodeEvidence } from '@sealpool/attest'
import type { SignedStatement } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ContributionRow } from '../state/contribution-table.js'
import type { JobRow } from '../state/job-table.js'
import { apiErrorTexts } from './api-error.js'
import { nodeApi } from './node-api.js'
import type { NodeService } from './node-service.js'
import { type ServedApi, serveApi } from './serve-api.js'

const pool = `0x${'a'.repeat(40)}` as const
const nothing = async () => undefined
const service: NodeService = {
  simulated: true,
  evidence: async (nonce) => ({ nonce, simulated: true }) as unknown as NodeEvidence,
  registeredEvidence: async () => ({ simulated: true }) as unknown as NodeEvidence,
  pools: () => [{ pool, name: 'pay', policyDigest: `sha256:${'0'.repeat(64)}`, policy: {}, key: null }],
  catalogue: {
    search: () => ({ entries: [], total: 0, next: null }),
    similar: () => undefined,
  },
  policy: () => ({}),
  contribution: nothing,
  verdict: nothing,
  verdicts: async () => ({}),
  contributions: async () => ({ states: { seen: 1, refined: 2 }, refused: {} }),
  facts: async (asked) =>
    asked === pool ? [{ number: 1, table: 'workers', input: {}, statement: {} as SignedStatement }] : [],
  rescorings: async () => [],
  rescoredVerdicts: async () => [],
  credentials: { challenge: () => 'nonce', present: async () => [] },
  plan: async () => {
    throw new Error('secret words from inside')
  },
  price: async () => {
    throw new Error('secret words from inside')
  },
  proposals: async () => [],
  manifest: async () => null,
  log: {
    key: 'log+00000000+AA==',
    statement: {} as SignedStatement,
    checkpoint: async () => 'log\n0\n\n',
    tile: async () => undefined,
  },
  deletions: async (from) => ({
    retention: { answerDays: 30, pools: { [pool]: null } },
    lists: from === 1 ? [{} as SignedStatement] : [],
  }),
  audit: () => ({ entries: [], length: 0, digest: null, head: {} as SignedStatement }),
  run: nothing,
  job: nothing,
  jobs: async () => ({ settled: 3 }),
  budgets: async () => [
    { pool, epsilonSpent: '2', epsilonTotal: '6', deltaSpent: '0', deltaTotal: '0.000001' },
  ],
  notReady: () => ['the node is not registered on the chain'],
  lineage: async () => ({ refinements: [], next: null }),
  work: async () => undefined,
  works: async () => [],
  handOff: undefined,
  shares: nothing,
  shareServer: undefined,
  figures: () => ({ process_uptime_seconds: 5 }),
}
const errors: unknown[] = []
const app = nodeApi(service, (error) => errors.push(error))
const get = async (path: string, init?: RequestInit) => {
  const response = await app.request(path, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const manifest = {
  format: 'sealpool/job-manifest',
  version: 1,
  kind: 'query',
  title: 'Test',
  pools: [{ address: pool, name: 'pay' }],
  query: { sql: 'SELECT count(*) FROM pay.workers' },
  compute: null,
  privacy: { epsilon: 1, delta: 0 },
  consumer: { address: pool, resultKey: { kem: 'x25519', publicKey: 'A'.repeat(43) } },
  purpose: 'research',
  salt: 'abcdefghijklmnop',
}
const post = (path: string, body: string) =>
  get(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body })

describe('every answer', () => {
  it.each([
    ['/v1/health', 200],
    ['/v1/ready', 503],
    ['/v1/evidence', 200],
    ['/v1/pools', 200],
    ['/v1/contributions', 200],
    ['/v1/contributions/7', 404],
    ['/v1/jobs', 200],
    ['/v1/jobs/7', 404],
    ['/v1/jobs/7/receipt', 404],
    ['/v1/jobs/7/result', 404],
    ['/v1/jobs/7/lineage', 404],
    ['/v1/nothing', 404],
    ['/', 404],
  ])('of %s says that the node is simulated', async (path, status) => {
    const { body, headers, ...answer } = await get(path)
    expect(answer.status).toBe(status)
    expect(body).toMatchObject({ simulated: true })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-sealpool-simulated')).toBe('true')
  })
})

describe('a result', () => {
  const states = [
    ['seen', 404],
    ['charged', 404],
    ['refused', 404],
    ['released', 200],
    ['settled', 200],
  ] as const
  it.each(states)('of a job that is %s is answered with %i, though it lies ready', async (state, status) => {
    const sealedResult = new Uint8Array([1, 2, 3])
    const job = { id: '7', state, sealedResult, resultDigest: `sha256:${'00'.repeat(32)}` }
    const own = nodeApi({ ...service, job: async () => job as never }, (error) => errors.push(error))
    const answer = await own.request('/v1/jobs/7/result')
    expect(answer.status).toBe(status)
    expect((await answer.text()).includes('AQID')).toBe(status === 200)
  })
})

describe('a result that is kept no longer', () => {
  it.each([
    [`sha256:${'00'.repeat(32)}`, 410, 'RESULT_DELETED'],
    [null, 404, 'RESULT_NOT_READY'],
  ])('is told from one that is not there yet: %s', async (resultDigest, status, code) => {
    const job = { id: '7', state: 'settled', sealedResult: null, resultDigest }
    const own = nodeApi({ ...service, job: async () => job as never }, (error) => errors.push(error))
    const answer = await own.request('/v1/jobs/7/result')
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ error: { code } })
  })
})

describe('lists of deletions', () => {
  it('are told from the first on, or from the one that is asked for, with what is declared', async () => {
    expect((await get('/v1/deletions')).body).toMatchObject({ retention: { answerDays: 30 }, lists: [{}] })
    expect((await get('/v1/deletions?from=2')).body).toMatchObject({ lists: [] })
    expect((await get('/v1/deletions?from=x')).status).toBe(400)
  })
})

describe('a job', () => {
  it.each([
    [false, 'charged', 40, /its release is on the way/],
    [true, 'detached', 100, /not on the chain any more/],
  ])('that is charged and detached (%s) is shown as %s', async (detached, state, stateNumber, text) => {
    const job = { id: '7', state: 'charged', detached, reason: null }
    const own = nodeApi({ ...service, job: async () => job as never }, (error) => errors.push(error))
    const answer = await own.request('/v1/jobs/7')
    expect(await answer.json()).toMatchObject({ state, stateNumber, stateText: expect.stringMatching(text) })
  })
})

describe('evidence', () => {
  it('is asked for with that of the GPUs where the caller says so, and else without', async () => {
    const asked: unknown[] = []
    const own = nodeApi(
      {
        ...service,
        evidence: async (...given) => {
          asked.push(given)
          return { simulated: true } as unknown as NodeEvidence
        },
      },
      (error) => errors.push(error),
    )
    const nonce = `0x${'a'.repeat(64)}`
    await own.request('/v1/evidence')
    await own.request(`/v1/evidence?nonce=${nonce}`)
    await own.request(`/v1/evidence?nonce=${nonce}&gpus=true`)
    expect(asked).toEqual([
      [undefined, { gpus: false }],
      [nonce, { gpus: false }],
      [nonce, { gpus: true }],
    ])
  })
})

describe('input', () => {
  it.each([
    ['/v1/evidence?nonce=0x12', 'NONCE_INVALID'],
    [`/v1/evidence?nonce=0x${'A'.repeat(64)}`, 'NONCE_INVALID'],
    [`/v1/evidence?nonce=0x${'a'.repeat(64)}&gpus=1`, 'GPUS_INVALID'],
    ['/v1/evidence?gpus=true', 'GPUS_INVALID'],
    ['/v1/contributions?pool=pay', 'ADDRESS_INVALID'],
    ['/v1/facts', 'ADDRESS_INVALID'],
    ['/v1/facts?pool=pay', 'ADDRESS_INVALID'],
    ['/v1/rescorings', 'ADDRESS_INVALID'],
    [`/v1/rescorings?pool=0x${'a'.repeat(40)}&from=x`, 'ID_INVALID'],
    ['/v1/contributions/-1', 'ID_INVALID'],
    ['/v1/contributions/1e3', 'ID_INVALID'],
    ['/v1/contributions/01', 'ID_INVALID'],
    [`/v1/contributions/${'9'.repeat(19)}`, 'ID_INVALID'],
    ["/v1/jobs/1'or'1", 'ID_INVALID'],
    ['/v1/jobs/%00/receipt', 'ID_INVALID'],
    ['/v1/jobs/7/lineage?from=x', 'ID_INVALID'],
    ['/v1/jobs/x/lineage', 'ID_INVALID'],
  ] as const)('%s is refused', async (path, code) => {
    expect(await get(path)).toMatchObject({
      status: 400,
      body: { simulated: true, error: { code, message: apiErrorTexts[code] } },
    })
  })

  it.each([
    '',
    'null',
    '[]',
    '{',
    '{"manifest":null}',
    '{"manifest":{},"more":1}',
    '{"manifest":{"format":"x"}}',
  ])('the plan request %j is refused', async (body) => {
    expect(await post('/v1/plan', body)).toMatchObject({
      status: 400,
      body: { error: { code: 'BODY_INVALID' } },
    })
  })

  it('a body above the limit is refused before it is read as JSON', async () => {
    const body = `{"manifest":"${'x'.repeat(300_000)}"}`
    expect(await post('/v1/plan', body)).toMatchObject({
      status: 413,
      body: { error: { code: 'BODY_TOO_LARGE' } },
    })
  })
})

describe('what a job was made of', () => {
  const asked: unknown[] = []
  const reservation = { inputs: [] } as unknown as NonNullable<JobRow['reservation']>
  const own = nodeApi(
    {
      ...service,
      job: async (id) => ({ id, reservation: id === '7' ? reservation : null }) as unknown as JobRow,
      lineage: async (...given) => {
        asked.push(given)
        return { refinements: [], next: 21 }
      },
    },
    () => undefined,
  )
  const read = async (path: string) => (await own.request(path)).json()

  it('is given a page at a time, from the first or where it goes on', async () => {
    const page = { simulated: true, job: '7', refinements: [], next: '21' }
    expect(await read('/v1/jobs/7/lineage')).toEqual(page)
    expect(await read('/v1/jobs/7/lineage?from=21')).toEqual(page)
    expect(asked).toEqual([
      [reservation, 1],
      [reservation, 21],
    ])
  })

  it('is not known of one that has read nothing', async () => {
    expect(await read('/v1/jobs/8/lineage')).toMatchObject({ error: { code: 'LINEAGE_UNKNOWN' } })
  })
})

describe('facts', () => {
  it('are given by pool, however its address is written', async () => {
    const facts = [{ number: 1, table: 'workers', input: {}, statement: {} }]
    expect(await get(`/v1/facts?pool=0x${'A'.repeat(40)}`)).toMatchObject({
      status: 200,
      body: { simulated: true, pool, facts },
    })
    expect((await get(`/v1/facts?pool=0x${'b'.repeat(40)}`)).body).toMatchObject({ facts: [] })
  })
})

describe('rescorings', () => {
  it('are given by pool from a number on, and on a contribution its verdicts by later proofs', async () => {
    const asked: unknown[] = []
    const statement = { statement: { type: 'sealpool/rescoring' } } as SignedStatement
    const contribution = { id: '7', pool, owner: pool, state: 'refined', reason: null, score: 1 }
    const own = nodeApi(
      {
        ...service,
        contribution: async () => contribution as unknown as ContributionRow,
        rescorings: async (...about) => {
          asked.push(about)
          return [statement]
        },
        rescoredVerdicts: async () => [statement],
      },
      (error) => errors.push(error),
    )
    const answer = await own.request(`/v1/rescorings?pool=0x${'A'.repeat(40)}&from=3`)
    expect(await answer.json()).toMatchObject({ simulated: true, pool, rescorings: [statement] })
    await own.request(`/v1/rescorings?pool=${pool}`)
    expect(asked).toEqual([
      [pool, 3],
      [pool, 1],
    ])
    expect(await (await own.request('/v1/contributions/7')).json()).toMatchObject({ rescored: [statement] })
  })
})

describe('a failure inside', () => {
  it('tells the operator what happened and the caller nothing', async () => {
    const answer = await post('/v1/plan', JSON.stringify({ manifest }))
    expect(answer).toMatchObject({ status: 500, body: { error: { code: 'INTERNAL' } } })
    expect(answer.text).not.toContain('secret words')
    expect(String(errors.at(-1))).toContain('secret words')
  })
})

describe('metrics', () => {
  it('are Prometheus text with public labels only', async () => {
    const { text } = await get('/v1/metrics')
    expect(text).toContain('sealpool_simulated 1')
    expect(text).toContain('sealpool_ready 0')
    expect(text).toContain(`sealpool_contributions{pool="${pool}",state="refined"} 2`)
    expect(text).toContain(`sealpool_budget_epsilon_spent{pool="${pool}"} 2`)
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) sealpool_\w+ .+|sealpool_\w+(\{(\w+="[\w]+",?)+\})? [\d.]+)$/)
    }
  })
})

describe('the server', () => {
  let served: ServedApi
  beforeAll(async () => {
    served = await serveApi({ app, host: '127.0.0.1', port: 0 })
  })
  afterAll(() => served.close())

  it('listens where it says', async () => {
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await (await fetch(`${served.url}/v1/health`)).json()).toEqual({ simulated: true, ok: true })
  })

  it('says so when its port is taken', async () => {
    const port = Number(new URL(served.url).port)
    await expect(serveApi({ app, host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
      place: `127.0.0.1:${port}`,
      message: expect.stringContaining('another program listens there') as string,
    })
  })
})
