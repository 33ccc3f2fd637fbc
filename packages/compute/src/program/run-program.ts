import type { JsonValue } from '@sealpool/crypto'
import { buffered, type Charge, predrawn, type RandomBytes } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import { noiseOf } from '../noise/planned-noise.js'
import { answerSteps } from './answer.js'
import { programMechanism } from './mechanism.js'
import type { ProgramPlan } from './plan-program.js'
import { type ProgramBlock, type ProgramRows, programBlocks, programInput } from './program-input.js'
import { type ReleasedNumber, type ReleasedOutput, releasedNumbers } from './release.js'

/** What is released. JSON-able. */
export interface ProgramResult {
  /** For each output the mean of what the runs gave, and an interval that holds the privacy noise alone. */
  readonly outputs: readonly ReleasedOutput[]
  /** How many runs answered. */
  readonly answered: ReleasedNumber
  readonly notes: readonly string[]
  readonly charge: { readonly [pool: string]: Charge }
}

/** A planned program, what it reads, and how it is run. */
export interface ProgramRun {
  readonly plan: ProgramPlan
  readonly rows: ProgramRows
  /** 32 secret bytes of this job, the same whenever it runs again: they order and divide contributors. */
  readonly order: Uint8Array
  /**
   * Runs the program once, in a fresh context that keeps nothing for the next, and gives what it returned, or null: it failed or met
   * a limit. It rejects only for what has nothing to do with what the program did: a rejection ends the job without an answer, and
   * unlike an answer it has no noise.
   */
  readonly run: (input: JsonValue) => Promise<JsonValue>
  /** How many runs at once, 1 when absent. The result is the same. */
  readonly parallel?: number
}

/**
 * Runs a planned program on its contributors. Charge the budget first: the result is private only at the price of the plan. Give it to
 * nobody before a moment that is fixed before the call, `plan.durationMs` after it or later: how long programs run tells of the data.
 *
 * @param options - `plan` from `planComputation`; `rows` by table; `order`, `run`, `parallel`: see {@link ProgramRun}; `random`: secret randomness,
 *   not asked before the last run has ended.
 * @returns Means of the runs' answers with noise.
 * @throws ComputeError `PLAN_INVALID` when the plan's noise is not the one that its charge pays for; `ROWS_INVALID`; `TOO_FEW_CONTRIBUTORS`
 *   when, by the noisy count, too few runs answered: fewer than the pool's minimum, or than half of the blocks.
 */
export async function runProgram(
  options: ProgramRun & { readonly random: RandomBytes },
): Promise<ProgramResult> {
  const { plan } = options
  checkMechanism(plan)
  const sums = await exactAnswers(options)
  const noise = noiseOf(plan.mechanism.kind, plan.mechanism.noise)
  // Not before the runs: the caller's randomness may depend on what they gave, so that other answers never meet the same noise. How
  // long drawing takes tells of the noise, and is hidden by the same wait as the runs.
  const pool = predrawn(buffered(options.random), { whenEmpty: 'refuse' })
  pool.reserve(noise, sums.length)
  const noisy = sums.map((sum) => sum + pool.draw(noise))
  return { ...releasedNumbers(plan, noisy), notes: notesOf(plan), charge: plan.charge }
}

/**
 * The exact integer sums that are released with noise, the count of answers last. Private: not exported from the package.
 *
 * @param options - As {@link runProgram}, without randomness.
 * @returns One integer for each output, and one for the answers.
 */
export async function exactAnswers({
  plan,
  rows,
  order,
  run,
  parallel = 1,
}: ProgramRun): Promise<readonly bigint[]> {
  const { steps, answerSteps: answered } = plan.mechanism
  const sums = new Array<bigint>(plan.outputs.length + 1).fill(0n)
  const add = (index: number, value: number): void => {
    sums[index] = (sums[index] ?? 0n) + BigInt(value)
  }
  const runBlock = async (block: ProgramBlock): Promise<void> => {
    const placed = answerSteps(await run(programInput(plan, block)), plan.outputs, steps)
    if (placed === null) return
    placed.forEach((value, index) => {
      add(index, value)
    })
    add(plan.outputs.length, answered)
  }
  await eachOf(programBlocks(plan, rows, order), runBlock, parallel)
  return sums
}

/** So many at once. After a failure nothing new begins, and it is thrown when nothing runs any more. */
async function eachOf<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  parallel: number,
): Promise<void> {
  const left = items.values()
  let failed = false
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (failed) return
      try {
        await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const workers = Array.from({ length: Math.max(1, Math.min(parallel, items.length)) }, worker)
  for (const { status, ...rest } of await Promise.allSettled(workers)) {
    if (status === 'rejected' && 'reason' in rest) throw rest.reason
  }
}

/** Recomputes the noise from the charge, so that a plan from elsewhere cannot carry too little of it. */
function checkMechanism(plan: ProgramPlan): void {
  const [charge, ...others] = Object.values(plan.charge)
  const paid =
    charge !== undefined &&
    others.length === 0 &&
    JSON.stringify(programMechanism({ ...charge, outputs: plan.outputs.length }).mechanism) ===
      JSON.stringify(plan.mechanism)
  if (!paid) {
    throw new ComputeError(
      'PLAN_INVALID',
      'plan.mechanism',
      "The plan's noise is not the one that its charge pays for. Plan the job again.",
    )
  }
}

function notesOf({ split, mechanism }: ProgramPlan): string[] {
  return [
    split.kind === 'contributors'
      ? `The program ran once for each contributor, for at most ${split.atMost} by a secret order; a value is the mean over those for whom it answered.`
      : `The program ran once for each of ${split.blocks} blocks of contributors, of at least ${split.least} each; a value is the mean over the blocks for which it answered, so it is of blocks and not of the pool as a whole.`,
    'Intervals hold 95 % for the privacy noise alone: they know nothing of sampling error, nor of what the program computes.',
    'Numbers outside their public ranges are clamped; whatever is not exactly the declared numbers is no answer.',
    mechanism.kind === 'gaussian'
      ? 'Noise: exact discrete Gaussian on integer sums.'
      : 'Noise: exact discrete Laplace on integer sums.',
  ]
}
