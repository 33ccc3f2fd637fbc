/**
 * What `sealpool-node status` asks a running node, and how it tells it.
 * @module
 */
import * as z from 'zod'
import { NodeError } from '../errors.js'

const readySchema = z.object({
  simulated: z.boolean(),
  ready: z.boolean(),
  reasons: z.array(z.string()),
  notes: z.array(z.string()).default([]),
})
const poolsSchema = z.object({
  pools: z.array(z.object({ pool: z.string(), name: z.string(), epoch: z.number().nullable() })),
})
const countsSchema = z.object({
  total: z.number(),
  states: z.record(z.string(), z.number()),
  refused: z.record(z.string(), z.number()),
})
const jobsSchema = z.object({ states: z.record(z.string(), z.number()) })

/** What a node says of itself; nothing of it is verified. */
export interface NodeStatus extends z.output<typeof readySchema> {
  /** Where its API listens. */
  readonly url: string
  readonly pools: readonly PoolStatus[]
  /** How many jobs are in which state. */
  readonly jobs: Readonly<Record<string, number>>
}

/** What a node says of one of its pools. */
export interface PoolStatus {
  /** Its contract. */
  readonly pool: string
  readonly name: string
  /** Null before its first key. */
  readonly epoch: number | null
  readonly contributions: z.output<typeof countsSchema>
}

/**
 * Asks a node for its state.
 * @param url where its API listens
 * @returns what it says
 * @throws NodeError `NODE_UNREACHABLE`
 */
export async function nodeStatus(url: string): Promise<NodeStatus> {
  const base = url.replace(/\/+$/, '')
  const ready = await ask(`${base}/v1/ready`, readySchema)
  const { pools } = await ask(`${base}/v1/pools`, poolsSchema)
  const jobs = await ask(`${base}/v1/jobs`, jobsSchema)
  return {
    url: base,
    ...ready,
    pools: await Promise.all(
      pools.map(async ({ pool, name, epoch }) => ({
        pool,
        name,
        epoch,
        contributions: await ask(`${base}/v1/contributions?pool=${pool}`, countsSchema),
      })),
    ),
    jobs: jobs.states,
  }
}

/**
 * @param status of {@link nodeStatus}
 * @returns the same as a table for people
 */
export function statusText({ url, simulated, ready, reasons, notes, pools, jobs }: NodeStatus): string {
  const names = ['seen', 'judged', 'recorded', 'refined', 'refused']
  const rows = pools.map(({ name, epoch, contributions: { total, states } }) => [
    name,
    epoch === null ? '-' : String(epoch),
    String(total),
    ...names.map((one) => String(states[one] ?? 0)),
  ])
  return harmless(
    [
      `${simulated ? 'SIMULATED node (no hardware)' : 'node'} at ${url}: ${ready ? 'ready' : 'not ready'}`,
      ...[...reasons, ...notes].map((line) => `  ${line}`),
      '',
      ...table([['pool', 'epoch', 'contributions', ...names], ...rows]),
      ...pools.flatMap(({ name, contributions: { refused } }) =>
        Object.entries(refused).map(([reason, count]) => `  ${name}: ${count} x ${reason}`),
      ),
      '',
      `jobs: ${
        Object.entries(jobs)
          .map(([state, count]) => `${count} ${state}`)
          .join(', ') || 'none'
      }`,
    ].join('\n'),
  )
}

/** Escape and control characters of a stranger's answer must not reach a terminal. */
function harmless(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '\ufffd')
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

async function ask<T>(url: string, schema: z.ZodType<T>): Promise<T> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
    return schema.parse(await response.json())
  } catch (cause) {
    throw new NodeError('NODE_UNREACHABLE', url, 'no node answers there as expected; check the address', {
      cause,
    })
  }
}
