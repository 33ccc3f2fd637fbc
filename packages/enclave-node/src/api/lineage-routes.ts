/**
 * The calls about what a job was made of, and who else has signed for it.
 * @module
 */
import type { Hono } from 'hono'
import type { JobRow } from '../state/job-table.js'
import type { Answers, ApiContext, ApiEnv } from './api-context.js'
import type { ApiErrorCode } from './api-error.js'
import { pageSchema } from './api-shapes.js'
import type { NodeService } from './node-service.js'

/** Answers a call on the job that its address names. */
export type OnJob = (
  context: ApiContext,
  find: (id: string) => Promise<JobRow | undefined>,
  show: (
    job: JobRow,
  ) => Promise<Record<string, unknown> | ApiErrorCode> | Record<string, unknown> | ApiErrorCode,
) => Promise<Response>

/** Adds the calls. */
export function lineageRoutes(
  app: Hono<ApiEnv>,
  node: Pick<NodeService, 'job' | 'lineage' | 'work' | 'works' | 'shares'>,
  onJob: OnJob,
  { refuse }: Pick<Answers, 'refuse'>,
): void {
  const find = (id: string) => node.job(id)
  app.get('/v1/jobs/:id/lineage', (context) => {
    const from = pageSchema.optional().safeParse(context.req.query('from'))
    if (!from.success) return refuse(context, 'ID_INVALID')
    return onJob(context, find, async ({ id, reservation }) => {
      if (reservation === null) return 'LINEAGE_UNKNOWN'
      const { refinements, next } = await node.lineage(reservation, Number(from.data ?? 1))
      return { job: id, refinements, next: next === null ? null : String(next) }
    })
  })
  app.get('/v1/jobs/:id/work', (context) =>
    onJob(context, find, async ({ id }) => {
      const [work, works] = await Promise.all([node.work(id), node.works(id)])
      if (work !== undefined) return { job: id, work }
      return works.length === 0 ? 'WORK_UNKNOWN' : { job: id, works }
    }),
  )
  app.get('/v1/jobs/:id/shares', (context) =>
    onJob(context, find, async ({ id }) => {
      const shares = await node.shares(id)
      return shares === undefined ? 'SHARES_UNKNOWN' : { job: id, shares }
    }),
  )
}
