/**
 * The node's HTTP API. Every JSON answer says whether the node is simulated.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import { sealedCallPath } from '@sealpool/client/access'
import type { Address, Digest } from '@sealpool/crypto'
import { Hono, type HonoRequest } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as z from 'zod'
import type { RefusedPlan } from '../job/request-run.js'
import { handOverSchema } from '../migration/hand-over.js'
import { contributionStateText } from '../state/contribution-state.js'
import type { JobRow } from '../state/job-table.js'
import { accessControl } from './access-control.js'
import { allowOrigins } from './allow-origins.js'
import { answeredCalls } from './answered-calls.js'
import { type ApiContext, type ApiEnv, answersOf, jsonOf, manifestOf, peerOf } from './api-context.js'
import { addressSchema, evidenceSchema, idSchema, pageSchema } from './api-shapes.js'
import type { Authentication } from './authentication.js'
import { authenticationRoutes } from './authentication-routes.js'
import { callerTurns } from './caller-turns.js'
import { catalogueParameters } from './catalogue-endpoints.js'
import { credentialRoutes } from './credential-routes.js'
import { federationRoutes } from './federation-routes.js'
import { handOffRoutes } from './hand-off-routes.js'
import { headsRoutes } from './heads-routes.js'
import { jobView, proposalView } from './job-view.js'
import { lineageRoutes, type OnJob } from './lineage-routes.js'
import { metricsText } from './metrics.js'
import type { NodeService } from './node-service.js'
import { openApiDocument } from './openapi.js'
import { type RateLimit, rateLimiter } from './rate-limit.js'
import { resultAnswer } from './result-answer.js'
import { validationRoutes } from './validation-routes.js'

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

/** Plans and prices: one takes some hundredths of a second of the only thread, and may wait for the chain. */
const planTurns = { atOnce: 8, waiting: 200, waitingOfAll: 400 }
const maximumAddressLength = 2_048
const proposalsAtOnce = 100

/** Who comes in. */
export interface ApiEntrance {
  /** Undefined: nobody can sign in. */
  readonly authentication?: Authentication
  /** Origins of web pages that may call, exactly as browsers name them. */
  readonly origins?: readonly string[]
}

/** Calls that make the machine, the planner or the chain work. */
function isCostly(request: HonoRequest): boolean {
  return (
    (request.method === 'POST' && request.path !== sealedCallPath) ||
    (request.path === '/v1/evidence' && request.query('nonce') !== undefined) ||
    // It is looked up, and put in order, in this very thread.
    request.path.startsWith('/v1/catalogue') ||
    // A manifest is fetched from where its proposer has put it.
    request.path.startsWith('/v1/proposals/')
  )
}

/**
 * Makes the API.
 * @param node what it asks
 * @param onError told of failures inside; the caller of the API learns no more than `INTERNAL`
 * @param limits for each address; {@link defaultApiLimits} when absent
 * @param clock milliseconds, for the limits
 * @param entrance who may come in, and from which web pages
 * @returns a Hono app, to be served or called in tests through `request`
 */
export function nodeApi(
  node: NodeService,
  onError: (error: unknown) => void,
  limits: ApiLimits = defaultApiLimits,
  clock: () => number = () => performance.now(),
  entrance: ApiEntrance = {},
): Hono<ApiEnv> {
  const { authentication, origins = [] } = entrance
  const [call, costlyCall] = [rateLimiter(limits.calls, clock), rateLimiter(limits.costly, clock)]
  const turn = callerTurns(planTurns, () => setImmediate())
  const app = new Hono<ApiEnv>()
  const answers = answersOf(node.simulated)
  const { answer, refuse, answerOr } = answers

  app.use(async (context, next) => {
    await next()
    // What is left of a refused body is not read: the connection serves nothing else.
    if ([413, 415].includes(context.res.status)) context.header('connection', 'close')
    context.header('x-content-type-options', 'nosniff')
    context.header('cache-control', 'no-store')
    if (node.simulated) context.header('x-sealpool-simulated', 'true')
  })
  app.use(allowOrigins(origins))
  app.use(async (context, next) => {
    const caller = peerOf(context)
    // A call inside a sealed one was counted with it.
    const wait =
      (context.env?.sealed === undefined ? call(caller) : 0) ||
      (isCostly(context.req) ? costlyCall(caller) : 0)
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

  app.use(answeredCalls(node, answers))
  // Last before the answers: nothing is answered that the matrix does not allow.
  app.use(accessControl({ node, authentication, answers }))
  authenticationRoutes(app, authentication, answers)
  credentialRoutes(app, node.credentials, answers)
  handOffRoutes(app, node.handOff, answers)
  federationRoutes(app, node.shareServer, answers)
  validationRoutes(app, node, answers)
  headsRoutes(app, node.headKeeper, answers)

  app.get('/v1/health', (context) => answer(context, { ok: true }))
  app.get('/v1/ready', (context) => {
    const reasons = node.notReady()
    const ready = reasons.length === 0
    return answer(context, { ready, reasons, notes: node.notes?.() ?? [] }, ready ? 200 : 503)
  })
  const document = openApiDocument()
  app.get('/v1/openapi.json', (context) => context.json(document))
  app.get('/v1/metrics', async (context) => context.text(await metricsText(node)))

  app.get('/v1/evidence', async (context) => {
    const asked = evidenceSchema.safeParse(context.req.query())
    const wrong = asked.error?.issues[0]?.path[0]
    if (!asked.success) return refuse(context, wrong === 'nonce' ? 'NONCE_INVALID' : 'GPUS_INVALID')
    return context.json(await node.evidence(asked.data.nonce, { gpus: asked.data.gpus }))
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
        live: key?.live ?? null,
      })),
    }),
  )
  app.get('/v1/catalogue', (context) => {
    const asked = z.object(catalogueParameters).partial().safeParse(context.req.query())
    if (!asked.success) return refuse(context, 'CATALOGUE_QUERY_INVALID')
    const { text, schema, after, own } = asked.data
    const page = node.catalogue.search({
      text,
      schema: schema as Digest | undefined,
      after,
      own: own === 'true',
    })
    return answer(context, { ...page, entries: page.entries.map(({ statement }) => statement) })
  })
  app.get('/v1/catalogue/:pool/similar', (context) => {
    const pool = addressSchema.safeParse(context.req.param('pool'))
    if (!pool.success) return refuse(context, 'ADDRESS_INVALID')
    const address = pool.data.toLowerCase() as Address
    const similar = node.catalogue.similar(address)
    if (similar === undefined) return refuse(context, 'POOL_NOT_LISTED')
    return answer(context, {
      pool: address,
      similar: similar.map(({ likeness, signed }) => ({ likeness, entry: signed.statement })),
    })
  })
  app.get('/v1/facts', async (context) => {
    const pool = addressSchema.safeParse(context.req.query('pool'))
    if (!pool.success) return refuse(context, 'ADDRESS_INVALID')
    const address = pool.data.toLowerCase() as Address
    return answer(context, { pool: address, facts: await node.facts(address) })
  })
  app.get('/v1/rescorings', async (context) => {
    const pool = addressSchema.safeParse(context.req.query('pool'))
    if (!pool.success) return refuse(context, 'ADDRESS_INVALID')
    const from = pageSchema.optional().safeParse(context.req.query('from'))
    if (!from.success) return refuse(context, 'ID_INVALID')
    const address = pool.data.toLowerCase() as Address
    return answer(context, {
      pool: address,
      rescorings: await node.rescorings(address, Number(from.data ?? 1)),
    })
  })
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
      rescored: await node.rescoredVerdicts(row.id),
    })
  })

  app.post('/v1/plan', async (context) => {
    const manifest = await manifestOf(context)
    if (manifest === undefined) return refuse(context, 'BODY_INVALID')
    const planned = await inTurn(context, (signal) => node.plan(manifest, signal))
    if (planned === undefined) return refuse(context, 'PLANS_WAIT')
    return answer(context, planned.ok ? planned : await refusedPlan(planned))
  })
  app.post('/v1/price', async (context) => {
    const manifest = await manifestOf(context)
    if (manifest === undefined) return refuse(context, 'BODY_INVALID')
    const priced = await inTurn(context, (signal) => node.price(manifest, signal))
    if (priced === undefined) return refuse(context, 'PLANS_WAIT')
    return answer(context, priced.ok ? priced : await refusedPlan(priced))
  })
  app.get('/v1/proposals', async (context) => {
    const pool = addressSchema.optional().safeParse(context.req.query('pool'))
    if (!pool.success) return refuse(context, 'ADDRESS_INVALID')
    const after = idSchema.optional().safeParse(context.req.query('after'))
    if (!after.success) return refuse(context, 'ID_INVALID')
    const jobs = await node.proposals({
      pool: pool.data?.toLowerCase() as Address | undefined,
      after: after.data ?? '-1',
      limit: proposalsAtOnce,
    })
    return answer(context, { proposals: jobs.map(proposalView) })
  })
  app.get('/v1/proposals/:id', (context) =>
    onJob(
      context,
      (id) => node.job(id),
      async (job) => ({ ...proposalView(job), manifest: await node.manifest(job) }),
    ),
  )
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
        if (receipt === null) return 'RECEIPT_NOT_READY'
        return bundleOf({ ...job, receipt, verdicts: await node.verdicts(job) })
      },
    ),
  )
  app.get('/v1/jobs/:id/result', (context) => {
    const recipient = addressSchema.optional().safeParse(context.req.query('recipient'))
    if (!recipient.success) return refuse(context, 'ADDRESS_INVALID')
    return onJob(
      context,
      (id) => node.job(id),
      (job) => resultAnswer(job, recipient.data?.toLowerCase() as Address | undefined),
    )
  })
  lineageRoutes(app, node, onJob, answers)
  app.get('/v1/log/key', (context) => answer(context, { key: node.log.key, statement: node.log.statement }))
  app.get('/v1/log/checkpoint', async (context) => context.text(await node.log.checkpoint()))
  app.get('/v1/log/tile/:level/:tile{.+}', async (context) => {
    const tile = await node.log.tile(context.req.path.slice('/v1/log/'.length))
    if (tile === undefined) return refuse(context, 'TILE_UNKNOWN')
    return context.body(tile as Uint8Array<ArrayBuffer>, 200, { 'content-type': 'application/octet-stream' })
  })
  app.get('/v1/migration', (context) => answerOr(context, node.handOver?.challenge() ?? 'MIGRATION_NOT_OPEN'))
  app.post('/v1/migration', async (context) => {
    const request = handOverSchema.safeParse(await jsonOf(context))
    if (!request.success) return refuse(context, 'BODY_INVALID')
    return answerOr(context, (await node.handOver?.give(request.data)) ?? 'MIGRATION_NOT_OPEN')
  })
  app.get('/v1/deletions', async (context) => {
    const from = pageSchema.optional().safeParse(context.req.query('from'))
    if (!from.success) return refuse(context, 'ID_INVALID')
    return answer(context, { ...(await node.deletions(Number(from.data ?? 1))) })
  })
  app.get('/v1/audit', (context) => {
    const from = pageSchema.optional().safeParse(context.req.query('from'))
    return from.success ? answer(context, node.audit(Number(from.data ?? 0))) : refuse(context, 'ID_INVALID')
  })
  return app

  /** @returns undefined when too many wait already, and says when to come again; also when whoever asked has hung up: he reads no answer */
  async function inTurn<T>(
    context: ApiContext,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const { signal } = context.req.raw
    const given = await turn(peerOf(context), () => work(signal), signal).catch((error: unknown) => {
      if (signal.aborted) return undefined
      throw error
    })
    if (given === undefined) context.header('retry-after', '2')
    return given
  }

  async function refusedPlan(refused: RefusedPlan): Promise<object> {
    return { ok: refused.ok, ...(await bundleOf({ ...refused, plan: null })) }
  }

  /** A receipt with everything that the node can add to verify it. */
  async function bundleOf(
    job: Pick<JobRow, 'pools' | 'manifest' | 'plan'> & Pick<RefusedPlan, 'receipt' | 'verdicts'>,
  ) {
    return {
      receipt: job.receipt,
      evidence: await node.registeredEvidence(),
      policies: Object.fromEntries(job.pools.map((pool) => [pool, node.policy(pool) ?? null])),
      manifest: job.manifest,
      plan: job.plan,
      verdicts: job.verdicts,
    }
  }

  async function onJob(context: ApiContext, find: Parameters<OnJob>[1], show: Parameters<OnJob>[2]) {
    const id = idSchema.safeParse(context.req.param('id'))
    if (!id.success) return refuse(context, 'ID_INVALID')
    const job = await find(id.data)
    if (job === undefined) return refuse(context, 'JOB_UNKNOWN')
    return answerOr(context, await show(job))
  }
}
