/**
 * Prints what a running node does, as a table for people.
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

/**
 * Asks a node for its state.
 * @param url where its API listens
 * @returns lines of text
 * @throws NodeError `NODE_UNREACHABLE`
 */
export async function statusTable(url: string): Promise<string> {
  const base = url.replace(/\/+$/, '')
  const ready = await ask(`${base}/v1/ready`, readySchema)
  const { pools } = await ask(`${base}/v1/pools`, poolsSchema)
  const jobs = await ask(`${base}/v1/jobs`, jobsSchema)
  const rows = await Promise.all(
    pools.map(async ({ pool, name, epoch }) => {
      const { total, states, refused } = await ask(`${base}/v1/contributions?pool=${pool}`, countsSchema)
      const names = ['seen', 'judged', 'recorded', 'refined', 'refused']
      return {
        cells: [
          name,
          epoch === null ? '-' : String(epoch),
          String(total),
          ...names.map((one) => String(states[one] ?? 0)),
        ],
        refused: Object.entries(refused).map(([reason, count]) => `  ${name}: ${count} x ${reason}`),
      }
    }),
  )
  const header = ['pool', 'epoch', 'contributions', 'seen', 'judged', 'recorded', 'refined', 'refused']
  return [
    `${ready.simulated ? 'SIMULATED node (no hardware)' : 'node'} at ${base}: ${ready.ready ? 'ready' : 'not ready'}`,
    ...[...ready.reasons, ...ready.notes].map((line) => `  ${line}`),
    '',
    ...table([header, ...rows.map(({ cells }) => cells)]),
    ...rows.flatMap(({ refused }) => refused),
    '',
    `jobs: ${
      Object.entries(jobs.states)
        .map(([state, count]) => `${count} ${state}`)
        .join(', ') || 'none'
    }`,
  ].join('\n')
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
