import { attenuateCapability } from '@sealpool/client/access'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ApiRole, apiRoles, roleMatrix } from '../access/role-matrix.js'
import { apiManifest, apiWorld, wallets } from '../testing/api-world.js'
import { accessControl } from './access-control.js'
import { answersOf } from './api-context.js'
import { apiRoutes } from './api-routes.js'

/**
 * Written by hand, and not made of the matrix: who changes one changes the other. In the order of {@link apiRoles}; `+` allowed,
 * `-` refused, `o` allowed when it is the caller's own, `?` allowed while the settings leave the API open.
 */
const expected: Readonly<Record<string, string>> = {
  'GET /v1/health': '++++++',
  'GET /v1/ready': '++++++',
  'GET /v1/openapi.json': '++++++',
  'GET /v1/evidence': '++++++',
  'GET /v1/pools': '++++++',
  'GET /v1/catalogue': '++++++',
  'GET /v1/catalogue/{pool}/similar': '++++++',
  'GET /v1/facts': '++++++',
  'GET /v1/rescorings': '++++++',
  'GET /v1/deletions': '++++++',
  'GET /v1/metrics': '?--+--',
  'POST /v1/sealed': '++++++',
  'GET /v1/sign-in': '++++++',
  'POST /v1/sign-in': '++++++',
  'POST /v1/sign-out': '-++++-',
  'POST /v1/tokens': '-++---',
  'POST /v1/tokens/revoke': '-++---',
  'GET /v1/presentation': '--+---',
  'POST /v1/presentation': '--+---',
  'GET /v1/contributions': '++++++',
  'GET /v1/contributions/{id}': '?o---o',
  'GET /v1/contributions/{id}/verdicts': '?o---o',
  'GET /v1/disputes': '++++++',
  'GET /v1/proposals': '++++++',
  'GET /v1/proposals/{id}': '++++++',
  'POST /v1/plan': '?-+--+',
  'POST /v1/price': '?-+--+',
  'GET /v1/jobs': '++++++',
  'GET /v1/jobs/{id}': '++++++',
  'POST /v1/jobs/{id}/run': '?-o--o',
  'GET /v1/jobs/{id}/receipt': '++++++',
  'GET /v1/jobs/{id}/lineage': '++++++',
  'GET /v1/jobs/{id}/result': '?-o--o',
  'GET /v1/jobs/{id}/work': '++++++',
  'GET /v1/jobs/{id}/shares': '++++++',
  'POST /v1/federation/share': '----+-',
  'POST /v1/validation/verdicts': '----+-',
  'POST /v1/hand-off/open': '----+-',
  'POST /v1/hand-off/announce': '----+-',
  'POST /v1/hand-off/chunk': '----+-',
  'POST /v1/hand-off/status': '----+-',
  'POST /v1/hand-off/answer': '----+-',
  'POST /v1/hand-off/end': '----+-',
  'POST /v1/heads/ask': '++++++',
  'POST /v1/heads/keep': '++++++',
  'GET /v1/heads/conflicts': '++++++',
  'GET /v1/log/key': '++++++',
  'GET /v1/log/checkpoint': '++++++',
  'GET /v1/log/tile/{level}/{tile}': '++++++',
  'GET /v1/audit': '-++++-',
  'GET /v1/migration': '++++++',
  'POST /v1/migration': '++++++',
}
const endpoints = apiRoutes.map(({ method, path }) => `${method.toUpperCase()} ${path}`)

/** Calls an endpoint for the thing that is (or is not) the caller's own. */
const pathOf = (endpoint: string): string =>
  endpoint.replace(/^\w+ /, '').replace('{id}', '7').replace('{level}/{tile}', '0/000.p/1')
const bodyOf = (endpoint: string): object =>
  /plan|price/.test(endpoint) ? { manifest: apiManifest } : endpoint.endsWith('/sign-out') ? {} : { wrong: 1 }

const refusals = ['SIGN_IN_REQUIRED', 'ROLE_NOT_ALLOWED', 'TOKEN_OUT_OF_SCOPE']
const allowed = ({ body }: { readonly body: unknown }): boolean => {
  const code = (body as { error?: { code?: string } } | null)?.error?.code
  return code === undefined || !refusals.includes(code)
}

describe.each([
  ['signed-in', false],
  ['open', true],
] as const)('the role matrix of an API that is %s', (_, open) => {
  const world = apiWorld({ open })
  const tokens = new Map<ApiRole, string | null>([['anonymous', null]])
  const strangers = new Map<ApiRole, string>()
  beforeAll(async () => {
    for (const role of ['contributor', 'consumer', 'operator', 'peer'] as const)
      tokens.set(role, await world.session(wallets[role], [role]))
    for (const role of ['contributor', 'consumer'] as const)
      strangers.set(role, await world.session(wallets.stranger, [role]))
  })

  it('has a row for every endpoint, and an endpoint for every row', () => {
    expect(Object.keys(roleMatrix).sort()).toEqual([...endpoints].sort())
    expect(Object.keys(expected).sort()).toEqual([...endpoints].sort())
  })

  const cases = endpoints.flatMap((endpoint) => apiRoles.map((role, place) => ({ endpoint, role, place })))
  it.each(cases)('$endpoint, $role', async ({ endpoint, role, place }) => {
    // What is sealed in a sealed call is nothing: the endpoint itself is asked below.
    if (endpoint === 'POST /v1/sealed') return
    const cell = expected[endpoint]?.[place]
    const method = endpoint.startsWith('GET') ? 'GET' : 'POST'
    const ask = async (token: string | null) =>
      allowed(
        await world.call(method, pathOf(endpoint), {
          token,
          ...(method === 'POST' ? { body: bodyOf(endpoint) } : {}),
        }),
      )
    const asAnybody = expected[endpoint]?.[0] === '+' || (open && expected[endpoint]?.[0] === '?')
    if (role === 'agent') {
      // One for each wallet that can have agents; it may what agents may and what its wallet may.
      for (const wallet of ['contributor', 'consumer'] as const) {
        const agent = attenuateCapability(tokens.get(wallet) ?? '', [{ expires: world.clock.seconds + 60 }])
        const walletCell = expected[endpoint]?.[apiRoles.indexOf(wallet)]
        expect(await ask(agent)).toBe(asAnybody || (cell !== '-' && walletCell !== '-'))
      }
      return
    }
    const token =
      endpoint.endsWith('/sign-out') && role !== 'anonymous'
        ? await world.session(wallets[role], [role])
        : (tokens.get(role) ?? null)
    expect(await ask(token)).toBe(asAnybody || cell === '+' || cell === 'o')
    if (cell === 'o') {
      expect(await ask(strangers.get(role) ?? '')).toBe(asAnybody)
    }
  })
})

describe('deny by default', () => {
  it('holds for an endpoint without a row, for everybody', async () => {
    const world = apiWorld({ open: true })
    const { 'GET /v1/jobs': _, ...matrix } = roleMatrix
    const control = accessControl({
      node: { contribution: async () => undefined, job: async () => undefined },
      authentication: undefined,
      answers: answersOf(true),
      matrix,
    })
    const app = world.app()
    expect((await app.request('/v1/jobs')).status).toBe(200)
    const { Hono } = await import('hono')
    const bare = new Hono().use(control as never).get('/v1/jobs', (context) => context.text('reached'))
    expect((await bare.request('/v1/jobs')).status).toBe(403)
    expect((await bare.request('/v1/jobs', { method: 'HEAD' })).status).toBe(403)
  })

  it('no row of operators or peers leads to a contribution, a plan or a result', () => {
    for (const [endpoint, { may, about }] of Object.entries(roleMatrix)) {
      const public_ = may.anonymous === 'yes'
      if (may.operator !== 'no' || may.peer !== 'no') expect(public_ || about === 'nothing').toBe(true)
      if (/result|plan|price|run$|contributions\/\{id\}/.test(endpoint)) {
        expect([may.operator, may.peer]).toEqual(['no', 'no'])
      }
    }
  })

  it('what holds a secret is taken from inside sealed calls only', async () => {
    const world = apiWorld({ open: true })
    for (const [endpoint, { sealed }] of Object.entries(roleMatrix)) {
      const [method = 'GET'] = endpoint.split(' ')
      const response = await world.app().request(pathOf(endpoint), {
        method,
        ...(method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}),
      })
      const text = await response.text()
      expect(text.includes('"code":"SEALED_CALL_REQUIRED"'), endpoint).toBe(sealed === true)
    }
  })
})
