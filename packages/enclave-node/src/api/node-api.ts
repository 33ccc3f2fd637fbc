/**
 * The node's HTTP API. Every JSON answer says whether the node is simulated.
 * @module
 */
import { parseJobManifest } from '@sealpool/compute'
import { type Address, encodeBase64Url, type Hex, type SignedStatement, sha256Digest } from '@sealpool/crypto'
import { type Context, Hono, type HonoRequest } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { contributionStateText } from '../state/contribution-state.js'
import { jobStateText } from '../state/job-state.js'
import type { JobRow } from '../state/job-table.js'
import { type ApiErrorCode, apiErrorTexts } from './api-error.js'
import { addressSchema, idSchema, nonceSchema, planSchema, refusalStatus } from './api-routes.js'
import { metricsText } from './metrics.js'
import type { NodeService } from './node-service.js'
import { openApiDocument } from './openapi.js'
import { callerOf, type RateLimit, rateLimiter } from './rate-limit.js'

const maximumBodyBytes = 256 * 1024

/** How the API defends itself. */
export interface ApiLimits {
  /** Calls of one address. */
  readonly calls: RateLimit
  /** Calls of one address that take a quote, plan a job or run one; they count as calls too. */
  readonly costly: RateLimit
}

/** Limits of the settings' defaults. */
export const defaultApiLimits: ApiLimits = {
  calls: { perSecond: 200, burst: 2_000 },
  costly: { perSecond: 50, burst: 500 },
}

const maximumAddressLength = 2_048

/** Calls that make the machine, the planner or the chain work. */
function isCostly(request: HonoRequest): boolean {
  return (
    request.method === 'POST' || (request.path === '/v1/evidence' && request.query('nonce') !== undefined)
  )
}

/**
 * Makes the API.
 * @param node what it asks
 * @param onError told of failures inside; the caller of the API learns no more than `INTERNAL`
 * @param limits for each address; {@link defaultApiLimits} when absent
 * @param clock milliseconds, for the limits
 * @returns a Hono app, to be served or called in tests through `request`
 */
export function nodeApi(
  node: NodeService,
  onError: (error: unknown) => void,
  limits: ApiLimits = defaultApiLimits,
  clock: () => number = () => performance.now(),
): Hono {
  const [call, costlyCall] = [rateLimiter(limits.calls, clock), rateLimiter(limits.costly, clock)]
  const app = new Hono()
  const answer = (context: Context, body: Record<string, unknown>, status: ContentfulStatusCode = 200) =>
    context.json({ simulated: node.simulated, ...body }, status)
  const refuse = (context: Context, code: ApiErrorCode) =>
    answer(context, { error: { code, message: apiErrorTexts[code] } }, refusalStatus[code])

  app.use(async (context, next) => {
    await next()
    // What is left of a refused body is not read: the connection serves nothing else.
    if ([413, 415].includes(context.res.status)) context.header('connection', 'close')
    context.header('x-content-type-options', 'nosniff')
    context.header('cache-control', 'no-store')
    if (node.simulated) context.header('x-sealpool-simulated', 'true')
  })
  app.use(async (context, next) => {
    const caller = callerOf(addressOfPeer(context))
    const wait = call(caller) || (isCostly(context.req) ? costlyCall(caller) : 0)
    if (wait > 0) {
      context.header('retry-after', String(wait))
      return refuse(context, 'RATE_LIMITED')
    }
    if (context.req.url.length > maximumAddressLength) return refuse(context, 'ADDRESS_TOO_LONG')
    // Nothing is ever unpacked, so nothing can grow in here.
    const encoding = context.req.header('content-encoding')
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      return refuse(context, 'ENCODING_UNSUPPORTED')
    }
    return next()
  })
  app.use(bodyLimit({ maxSize: maximumBodyBytes, onError: (context) => refuse(context, 'BODY_TOO_LARGE') }))
  app.notFound((context) => refuse(context, 'NOT_FOUND'))
  app.onError((error, context) => {
    onError(error)
    return refuse(context, 'INTERNAL')
  })

  app.get('/v1/health', (context) => answer(context, { ok: true }))
  app.get('/v1/ready', (context) => {
    const reasons = node.notReady()
    return answer(context, { ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503)
  })
  const document = openApiDocument()
  app.get('/v1/openapi.json', (context) => context.json(document))
  app.get('/v1/metrics', async (context) => context.text(await metricsText(node)))

  app.get('/v1/evidence', async (context) => {
    const given = context.req.query('nonce')
    const nonce = nonceSchema.optional().safeParse(given)
    if (!nonce.success) return refuse(context, 'NONCE_INVALID')
    return context.json(await node.evidence(nonce.data as Hex | undefined))
  })
  app.get('/v1/pools', (context) =>
    answer(context, {
      pools: node.pools().map(({ pool, name, policyDigest, policy, key }) => ({
        pool,
        name,
        policyDigest,
        policy,
        epoch: key?.epoch ?? null,
        poolKey: key === null ? null : { kem: 'x25519', publicKey: key.publicKey, keyId: key.keyId },
        statement: key?.statement ?? null,
      })),
    }),
  )
  app.get('/v1/contributions', async (context) => {
    const pool = addressSchema.optional().safeParse(context.req.query('pool'))
    if (!pool.success) return refuse(context, 'ADDRESS_INVALID')
    const counts = await node.contributions(pool.data?.toLowerCase() as Address | undefined)
    const total = Object.values(counts.states).reduce((sum, count) => sum + count, 0)
    return answer(context, { pool: pool.data ?? null, total, ...counts })
  })
  app.get('/v1/contributions/:id', async (context) => {
    const id = idSchema.safeParse(context.req.param('id'))
    if (!id.success) return refuse(context, 'ID_INVALID')
    const row = await node.contribution(id.data)
    if (row === undefined) return refuse(context, 'CONTRIBUTION_UNKNOWN')
    return answer(context, {
      id: row.id,
      pool: row.pool,
      owner: row.owner,
      state: row.state,
      stateText: contributionStateText[row.state],
      reason: row.reason,
      reasonText: row.reasonText,
      score: row.score,
      verdictDigest: row.verdictDigest,
      verdict: (await node.verdict(row.id)) ?? null,
    })
  })

  app.post('/v1/plan', async (context) => {
    const body = planSchema.safeParse(await context.req.json().catch(() => undefined))
    if (!body.success) return refuse(context, 'BODY_INVALID')
    let manifest: ReturnType<typeof parseJobManifest>
    try {
      manifest = parseJobManifest(body.data.manifest)
    } catch {
      return refuse(context, 'BODY_INVALID')
    }
    const planned = await node.plan(manifest)
    if (planned.ok) return answer(context, { ...planned })
    const { ok, receipt, verdicts } = planned
    return answer(context, { ok, ...(await bundleOf({ ...planned, plan: null, receipt, inputs: verdicts })) })
  })
  app.get('/v1/jobs', async (context) => answer(context, { states: await node.jobs() }))
  app.post('/v1/jobs/:id/run', (context) =>
    onJob(
      context,
      (id) => node.run(id),
      (job) => jobView(job),
    ),
  )
  app.get('/v1/jobs/:id', (context) =>
    onJob(
      context,
      (id) => node.job(id),
      (job) => jobView(job),
    ),
  )
  app.get('/v1/jobs/:id/receipt', (context) =>
    onJob(
      context,
      (id) => node.job(id),
      async (job) => {
        const { receipt } = job
        return receipt === null ? 'RECEIPT_NOT_READY' : bundleOf({ ...job, receipt })
      },
    ),
  )
  app.get('/v1/jobs/:id/result', (context) =>
    onJob(
      context,
      (id) => node.job(id),
      (job) => {
        const released = !job.detached && (job.state === 'released' || job.state === 'settled')
        if (!released || job.sealedResult === null) return 'RESULT_NOT_READY'
        return {
          job: job.id,
          sealed: encodeBase64Url(job.sealedResult),
          sealedDigest: sha256Digest(job.sealedResult),
          resultDigest: job.resultDigest,
        }
      },
    ),
  )
  return app

  /** A receipt with everything that the node can add to verify it. */
  async function bundleOf(
    job: Pick<JobRow, 'pools' | 'manifest' | 'plan' | 'inputs'> & { readonly receipt: SignedStatement },
  ) {
    return {
      receipt: job.receipt,
      evidence: await node.registeredEvidence(),
      policies: Object.fromEntries(job.pools.map((pool) => [pool, node.policy(pool) ?? null])),
      manifest: job.manifest,
      plan: job.plan,
      verdicts: job.inputs ?? {},
    }
  }

  async function onJob(
    context: Context,
    find: (id: string) => Promise<JobRow | undefined>,
    show: (
      job: JobRow,
    ) => Promise<Record<string, unknown> | ApiErrorCode> | Record<string, unknown> | ApiErrorCode,
  ): Promise<Response> {
    const id = idSchema.safeParse(context.req.param('id'))
    if (!id.success) return refuse(context, 'ID_INVALID')
    const job = await find(id.data)
    if (job === undefined) return refuse(context, 'JOB_UNKNOWN')
    const shown = await show(job)
    return typeof shown === 'string' ? refuse(context, shown) : answer(context, shown)
  }
}

/** Address of the other end of the connection; what a header says of it can be made up. */
function addressOfPeer(context: Context): string | undefined {
  const bindings = context.env as
    | { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } } }
    | undefined
  return bindings?.incoming?.socket?.remoteAddress
}

function jobView(job: JobRow): Record<string, unknown> {
  return {
    id: job.id,
    state: job.state,
    stateText: jobStateText[job.state],
    chainState: job.chainState,
    reason: job.reason,
    reasonText: job.reasonText,
    reasons: job.reason === null ? [] : [{ code: job.reason, text: job.reasonText }],
    receipt: job.receipt,
  }
}
