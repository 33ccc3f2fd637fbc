import type { Digest, JsonValue } from '@sealpool/crypto'
import type { PolicyColumn, PolicyTable, PoolPolicy } from '@sealpool/privacy'
import { checkPool } from '../computation/check-pool.js'
import { columnKey, notAllowed, someRowsCount } from '../computation/column-lookup.js'
import type { PlanHead, PlannedColumn } from '../computation/plan-head.js'
import { ComputeError } from '../errors.js'
import { type JobManifest, manifestDigest } from '../job/manifest.js'
import { type ProgramMechanism, programMechanism } from './mechanism.js'
import { type ProgramParameters, parseProgram, runsOf } from './parameters.js'
import { type ProgramRuntime, programDigest } from './program-digest.js'

/** A column that a program reads. */
export interface ProgramColumn extends PlannedColumn {
  readonly type: PolicyColumn['type']
}

/** A number that each run of a program gives, and the public range that it is held to. */
export interface ProgramOutput {
  readonly name: string
  readonly min: number
  readonly max: number
}

/** How a program's runs divide the contributors. */
export type ProgramSplit =
  /** One run for each contributor, at most so many. */
  | { readonly kind: 'contributors'; readonly atMost: number }
  /** One run for each block. A block of fewer than `least` contributors is not run, so that half of all blocks hold the pool's minimum. */
  | { readonly kind: 'blocks'; readonly blocks: number; readonly least: number }

/** What is known of a program's run without data. Plain JSON; its canonical form has a digest. */
export interface ProgramPlan extends PlanHead {
  readonly computation: 'program'
  readonly columns: readonly ProgramColumn[]
  readonly program: {
    readonly runtime: ProgramRuntime
    /** Of the bytes in the pool's blob store; the plan's own `code` binds runtime and entry as well. */
    readonly code: Digest
    readonly entry: string
    readonly argument: JsonValue
    readonly limits: ProgramParameters['limits']
  }
  readonly tables: readonly {
    readonly table: string
    readonly columns: readonly string[]
    /** Rows of one contributor that the program sees: those of the lowest ranks. */
    readonly rows: number
  }[]
  readonly split: ProgramSplit
  readonly outputs: readonly ProgramOutput[]
  /** Digits of released numbers where the policy bounds them, or null. */
  readonly significantDigits: number | null
  readonly mechanism: ProgramMechanism
  /** All runs, one after the other, each as long as it may be: the answer is given no sooner than this after the first begins. */
  readonly durationMs: number
}

const parametersPlace = 'compute.parameters'

/**
 * Checks a job of a program against the policy of its pool and works out its noise and its cost.
 *
 * @param options - `manifest` whose computation is `program`; `policies`: among them that of its one pool.
 * @returns The plan. It depends on manifest and policy alone.
 * @throws ComputeError `NOT_ALLOWED` for a program, pool, table, column, purpose or hand-off that is not allowed;
 *   `PARAMETERS_INVALID`; `BUDGET_PER_JOB_EXCEEDED`; `MANIFEST_INVALID` without the pool's policy.
 */
export function planProgram(options: {
  readonly manifest: JobManifest
  readonly policies: readonly PoolPolicy[]
}): ProgramPlan {
  const { manifest } = options
  if (manifest.handOff !== undefined) {
    throw notAllowed(
      'handOff',
      'A program runs on the node that keeps its pool, and nowhere else. Remove handOff.',
    )
  }
  const [pool, ...others] = manifest.pools
  if (pool === undefined || others.length > 0) {
    throw notAllowed('pools', 'A program reads one pool. List exactly one.')
  }
  const policy = options.policies.find(({ name }) => name === pool.name)
  checkPool(manifest, 'pools[0]', pool.name, policy)
  const parameters = parseProgram(manifest.compute?.parameters)
  const { runtime, entry, argument, limits, tables } = parameters
  const code = programDigest(parameters)
  const { programs = [] } = policy.code
  if (programs !== 'voted' && !programs.includes(code)) {
    throw notAllowed(
      `${parametersPlace}.code`,
      `Pool ${pool.name} does not accept this program (${code}). Its policy lists the digests of those that it does.`,
    )
  }
  const columns = tables.flatMap((asked, index) => columnsOf(asked, index, policy))
  const outputs = parameters.outputs.map(({ name, min, max }) => ({ name, min, max }))
  const most = policy.output?.maximumRows ?? outputs.length
  if (outputs.length > most) {
    throw notAllowed(
      `${parametersPlace}.outputs`,
      `Pool ${pool.name} lets at most ${most} rows of an answer leave.`,
    )
  }
  const { epsilon, delta } = manifest.privacy
  const { mechanism, charge } = programMechanism({ epsilon, delta, outputs: outputs.length })
  return {
    format: 'sealpool/computation-plan',
    version: 1,
    computation: 'program',
    code,
    manifest: manifestDigest(manifest),
    columns,
    charge: { [pool.address]: charge },
    minimumContributors: policy.privacy.minimumContributors,
    program: { runtime, code: parameters.code, entry, argument, limits },
    tables,
    split: splitOf(parameters, policy),
    outputs,
    significantDigits: policy.output?.significantDigits ?? null,
    mechanism,
    durationMs: runsOf(parameters) * limits.timeMs,
  }
}

function columnsOf(
  asked: ProgramParameters['tables'][number],
  index: number,
  policy: PoolPolicy,
): ProgramColumn[] {
  const place = `${parametersPlace}.tables[${index}]`
  const table = policy.tables.find(({ name }) => name === asked.table)
  if (table === undefined) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.table`,
      `Pool ${policy.name} has no table ${asked.table}.`,
    )
  }
  if (table.rows !== undefined) throw someRowsCount(`${place}.table`, table.name)
  if (asked.rows > table.rowsPerContributor) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.rows`,
      `The policy lets at most ${table.rowsPerContributor} rows of a contributor count. Ask for no more.`,
    )
  }
  return asked.columns.map((name, at) => columnOf(table, name, `${place}.columns[${at}]`, policy))
}

function columnOf(table: PolicyTable, name: string, place: string, policy: PoolPolicy): ProgramColumn {
  const column = table.columns.find((one) => one.name === name)
  if (column === undefined) {
    throw new ComputeError('PARAMETERS_INVALID', place, `Table ${table.name} has no column ${name}.`)
  }
  if (column.use.length === 0) throw notAllowed(place, 'The policy allows no use of this column.')
  const planned = { pool: policy.name, table: table.name, column: name }
  return { ...planned, key: columnKey(planned), type: column.type }
}

function splitOf({ split }: ProgramParameters, { privacy }: PoolPolicy): ProgramSplit {
  const { minimumContributors } = privacy
  if (split.kind === 'blocks') {
    return { ...split, least: Math.max(1, Math.ceil((2 * minimumContributors) / split.blocks)) }
  }
  if (split.atMost < minimumContributors) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${parametersPlace}.split.atMost`,
      `The pool answers about no fewer than ${minimumContributors} contributors. Run the program for at least as many.`,
    )
  }
  return split
}
