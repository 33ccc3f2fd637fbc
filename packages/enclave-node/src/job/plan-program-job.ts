import { type ProgramPlan, type ProgramRow, type ProgramRows, runProgram } from '@sealpool/compute'
import { decodeHex, type JsonValue } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import type { SqlEngine } from '@sealpool/query'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { ProgramRunner } from '../program/program-runs.js'
import { tellingMs } from '../program/require-program.js'
import { computationHead } from './computation-head.js'
import { noiseStream } from './job-noise.js'
import type { PlannedJob } from './planned-job.js'

/**
 * A planned program as a job: it reads its tables in the engine, and runs outside of it.
 * @param plan of the program
 * @param pool the one that it is about
 */
export function programJob<Pool extends PlannablePool>(plan: ProgramPlan, pool: Pool): PlannedJob<Pool> {
  const head = computationHead(plan, [pool])
  return {
    ...head,
    program: plan,
    explanation: {
      ...head.explanation,
      runtime: plan.program.runtime,
      split: plan.split as unknown as JsonValue,
      outputs: plan.outputs as unknown as JsonValue,
      toldAfterMs: tellingMs(plan),
    },
    async run(engine, random, runner) {
      if (runner === undefined) throw new RangeError('a program needs a runner')
      // Two secrets of this job: whatever runs it again divides contributors in the same way.
      const order = random(32)
      const key = random(32)
      const rows = await programRows(plan, pool.name, engine)
      await runner.begin()
      const { run, parallel } = runner
      const result = await runProgram({ plan, rows, order, run, parallel, random: noiseAfter(key, runner) })
      return result as unknown as JsonValue
    },
  }
}

/**
 * Noise that follows from the job and from what its runs gave. The same manifest on the same contributions has the same noise in another job only
 * where its runs gave the same: else two answers would differ by exactly what a run that was cut off, or that drew lots, gave the one time and not
 * the other.
 */
function noiseAfter(key: Uint8Array, runner: ProgramRunner): (length: number) => Uint8Array {
  let stream: ((length: number) => Uint8Array) | undefined
  return (length) => {
    stream ??= noiseStream(
      decodeHex(`0x${keyedFingerprint({ key, domain: 'program-noise', data: runner.outcomes() })}`),
    )
    return stream(length)
  }
}

/** The names in the statements come from policies, which allow lower-case identifiers only; the engine checks each statement's tree a second time. */
async function programRows(plan: ProgramPlan, pool: string, engine: SqlEngine): Promise<ProgramRows> {
  const tables: Record<string, readonly ProgramRow[]> = {}
  for (const { table, columns, rows: most } of plan.tables) {
    const select = columns.map((column, index) => `t0."${column}" AS c${index}`)
    const rows = await engine.query(
      `SELECT t0.contributor AS contributor, t0.row_rank AS row_rank, ${select.join(', ')} FROM "${pool}"."${table}" AS t0 WHERE t0.row_rank <= ${most}`,
      { tables: [`${pool}.${table}`] },
    )
    tables[table] = rows.map((row) => ({
      contributor: row['contributor'] as number | string,
      rank: row['row_rank'] as number | string,
      values: Object.fromEntries(columns.map((column, index) => [column, row[`c${index}`] ?? null])),
    }))
  }
  return tables
}
