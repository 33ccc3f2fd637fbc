/** What no evidence of a GPU proves today, however good it is, by stable names: texts in {@link gpuLimitTexts}. */
export const gpuLimitNames = ['boot-time-only', 'attachment-unsigned', 'mode-told'] as const

/** One of {@link gpuLimitNames}. */
export type GpuLimit = (typeof gpuLimitNames)[number]

/** Each limit in words. */
export const gpuLimitTexts: Readonly<Record<GpuLimit, string>> = {
  'boot-time-only':
    'Boot-time only: the GPU answers for its firmware and its settings as they were when the guest looked, and nothing later is measured.',
  'attachment-unsigned':
    'That the GPU is attached to this guest is the measured guest’s word: no signature of the GPU names the machine.',
  'mode-told':
    'Mode (confidential computing, developers’ tools) is what the guest’s measured code read from the driver and recorded, once.',
}

/** The texts themselves; whoever shows an answer about GPUs shows these beside it. */
export const gpuLimits: readonly string[] = /* @__PURE__ */ Object.values(gpuLimitTexts)
