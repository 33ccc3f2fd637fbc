/**
 * A span: that a step of the node's work was done, for which public thing, and roughly when. It holds ids, digests and names of states,
 * and nothing else can get into it: what is not on this list, or has another form, is left out.
 *
 * How long a step takes can tell of the rows that it reads. So times stand on a grid that is coarser than a job's differences, and a span
 * says neither how a step ended nor how much it read.
 * @module
 */
import { jobStateNumber } from '../state/job-state.js'

/** Steps that have spans. */
export const spanNames = [
  'job.advance',
  'job.plan',
  'job.reserve',
  'job.anchor',
  'job.run',
  'job.store',
  /** What was decided goes to the chain: a release with its settlement, or a refusal. */
  'job.deliver',
  /** At the home node: another node is asked, given to, or looked for. */
  'job.visit',
  /** At the runner: a job of another node. */
  'job.handed',
  'ingest.judge',
  'ingest.refine',
  /** A batch of verdicts, or a refinement, goes to the chain. */
  'ingest.record',
] as const

/** Name of a step that has spans. */
export type SpanName = (typeof spanNames)[number]

/** What a span may say, each in one form. */
const forms: ReadonlyMap<string, RegExp> = new Map([
  ['sealpool.job', /^(0|[1-9]\d{0,19})$/],
  ['sealpool.manifest', /^sha256:[0-9a-f]{64}$/],
  ['sealpool.state', new RegExp(`^(${Object.keys(jobStateNumber).join('|')})$`)],
  ['sealpool.pool', /^0x[0-9a-f]{40}$/],
  ['sealpool.batch', /^(0|[1-9]\d{0,19})$/],
  ['sealpool.refinement', /^(0|[1-9]\d{0,19})$/],
])

/** What a step of a job says of itself. */
interface JobFacts {
  /** Decimal. */
  readonly job: string
  /** Digest of the job's manifest, when it is known. */
  readonly manifest?: string | undefined
  /** State of the job after the step. */
  readonly state?: string | undefined
}

/**
 * What a step of ingest says of itself: the pool, and never which contribution, since how long one takes tells of what is in it. Numbers are
 * those under which the chain has batch or refinement.
 */
interface IngestFacts {
  readonly pool: string
  readonly batch?: string | undefined
  readonly refinement?: string | undefined
}

/** What a step says of itself. */
export type StepFacts = JobFacts | IngestFacts

/** A step that was done. */
export interface Span {
  readonly name: SpanName
  /** 16 bytes, hex: the same for all steps of a job, at every node that has a part in it, and for all of a pool's ingest. */
  readonly traceId: string
  /** 8 bytes, hex. */
  readonly spanId: string
  /** Unix seconds, on the grid. */
  readonly start: number
  /** Unix seconds, on the grid, after `start`. */
  readonly end: number
  readonly attributes: Readonly<Record<string, string>>
}

/** @returns the facts that may leave the node, under the names that they have in a span */
export function spanAttributes(facts: StepFacts): Readonly<Record<string, string>> {
  const given = new Map<string, unknown>(Object.entries(facts))
  return Object.fromEntries(
    [...forms].flatMap(([name, form]) => {
      const value = given.get(name.replace('sealpool.', ''))
      return typeof value === 'string' && form.test(value) ? [[name, value]] : []
    }),
  )
}
