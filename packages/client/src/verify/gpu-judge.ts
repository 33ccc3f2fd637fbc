import type { Appraisal, GpuEvidence, Verdict } from '@sealpool/attest'

/** What a node showed of its GPUs, beside its own verified quote. */
export interface ShownGpus {
  /** Null: it showed none. */
  readonly shown: GpuEvidence | null
  /** The verdict on its quote. */
  readonly hardware: Verdict
  /** The moment of the question. */
  readonly at: Date
}

/** The answer about a node's GPUs. */
export interface JudgedGpus extends Appraisal {
  /** What such evidence cannot prove, in plain words: shown beside the answer, whatever it is. */
  readonly limits: readonly string[]
}

/**
 * Judges a node's GPUs. `appraiseNodeGpus` of `@sealpool/attest/platform-evidence` does, by a platform policy and the keys of NVIDIA's service.
 *
 * @param node what it showed
 * @returns the answer; anything but `allowed` counts as a no
 *
 * @example
 * ```ts no-run
 * import { appraiseNodeGpus, type GuestGpuRules } from '@sealpool/attest/platform-evidence'
 * import type { GpuJudge } from '@sealpool/client'
 *
 * export const judgeBy = (rules: GuestGpuRules): GpuJudge => (node) => appraiseNodeGpus({ ...node, ...rules })
 * ```
 */
export type GpuJudge = (node: ShownGpus) => JudgedGpus
