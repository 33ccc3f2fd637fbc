import { untilAborted } from '../until-aborted.js'

/** The steps of a contribution, in their order. */
export const contributionSteps = ['preflight', 'verify', 'seal', 'store', 'sign', 'send'] as const

/** One step of a contribution. */
export type ContributionStep = (typeof contributionSteps)[number]

/** What an app can show while a contribution goes its way. */
export interface ContributionProgress {
  readonly step: ContributionStep
  /** `skipped`: an earlier run did it. */
  readonly state: 'started' | 'done' | 'skipped'
}

/** Told of every step; what it throws stops the contribution. */
export type OnContributionProgress = (progress: ContributionProgress) => void

/**
 * Runs one step and tells of its start and its end.
 *
 * @param step its name
 * @param options.onProgress who is told
 * @param options.signal ends the waiting, with its own reason; what was begun may still come to its end
 * @param work the step
 */
export async function runStep<Result>(
  step: ContributionStep,
  options: {
    readonly onProgress?: OnContributionProgress | undefined
    readonly signal?: AbortSignal | undefined
  },
  work: () => Promise<Result>,
): Promise<Result> {
  options.signal?.throwIfAborted()
  options.onProgress?.({ step, state: 'started' })
  // Whoever is told may have cancelled.
  options.signal?.throwIfAborted()
  const result = await untilAborted(work(), options.signal)
  options.onProgress?.({ step, state: 'done' })
  return result
}
