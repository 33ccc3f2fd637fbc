/** What no evidence of a GPU proves today, however good it is, by a stable name. */
export const gpuLimitTexts = {
  'boot-time-only':
    'Boot-time only: the GPU answers for its firmware and its settings as they were when the guest looked, and nothing later is measured.',
  'attachment-unsigned':
    'That the GPU is attached to this guest is the measured guest’s word: no signature of the GPU names the machine.',
  'mode-told':
    'Mode (confidential computing, developers’ tools) is what the guest’s measured code read from the driver and recorded, once.',
} as const

/** Name of one of {@link gpuLimitTexts}. */
export type GpuLimit = keyof typeof gpuLimitTexts

/** Every name of {@link gpuLimitTexts}, in their order. */
export const gpuLimitNames: readonly GpuLimit[] = /* @__PURE__ */ (() =>
  Object.keys(gpuLimitTexts) as GpuLimit[])()

/** The texts themselves; whoever shows an answer about GPUs shows these beside it. */
export const gpuLimits: readonly string[] = /* @__PURE__ */ Object.values(gpuLimitTexts)
