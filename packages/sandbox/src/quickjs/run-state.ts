import { failure, type RunFailure } from '../failure.js'
import type { CheckedLimits } from '../limits.js'

// JS_INTERRUPT_COUNTER_INIT of QuickJS: loops and calls between two questions to the host.
const STEPS_OF_A_POLL = 10_000

/** How a run stands. */
export interface RunState {
  readonly deadline: number
  /** The deadline has passed. */
  expired: boolean
  /** Steps that are left; below 0 when they ended the run. */
  steps: number
  /** Batch functions took more than the run's memory. */
  full: boolean
  /** What the code attached is longer than the output may be. */
  large: boolean
  /** The code called a batch function. */
  asked: boolean
  stage: string
}

/**
 * How a run stands at its start.
 *
 * @param limits - its limits
 * @returns the state
 */
export function createRunState(limits: CheckedLimits): RunState {
  return {
    deadline: performance.now() + limits.timeMs,
    expired: false,
    steps: limits.steps,
    full: false,
    large: false,
    asked: false,
    stage: 'load',
  }
}

/**
 * Has the deadline passed? Once it has, it has for good.
 *
 * @param state - the run
 * @returns whether it has
 */
export function isLate(state: RunState): boolean {
  if (performance.now() > state.deadline) state.expired = true
  return state.expired
}

/**
 * QuickJS asks, after every so many loops and calls, whether to stop.
 *
 * @param state - the run
 * @returns whether to stop
 */
export function poll(state: RunState): boolean {
  state.steps -= STEPS_OF_A_POLL
  return isLate(state) || isStopped(state)
}

/**
 * Must nothing more be computed, whatever the code catches?
 *
 * @param state - the run
 * @returns whether something ended it
 */
export function isStopped(state: RunState): boolean {
  return state.expired || state.full || state.large || state.steps < 0
}

/**
 * Why a run was stopped.
 *
 * @param state - the run
 * @returns the failure; undefined when nothing stopped it
 */
export function stopFailure(state: RunState): RunFailure | undefined {
  if (state.expired) return failure('TIMEOUT', state.stage)
  if (state.large) return failure('OUTPUT_TOO_LARGE', 'output')
  if (state.full) return failure('OUT_OF_MEMORY', state.stage)
  if (state.steps < 0) return failure('OUT_OF_STEPS', state.stage)
  return undefined
}
