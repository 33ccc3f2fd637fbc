import { gpuLimitTexts } from '../gpu/gpu-limits.js'
import type { AppraisedGpus, ReceiptBody } from './receipt.js'

/** What a manifest's `handOff` says of GPUs. */
export interface GpuDemanded {
  readonly gpu?: { readonly minimumDevices: number }
}

/**
 * Whether a released job ran where its manifest wanted it, as far as GPUs go: each node that was given anything of it had shown as many as
 * were demanded, and none is named for GPUs that nobody demanded. The node that keeps the pools has their rows anyway, and shows none.
 *
 * @param demanded - `handOff` of the manifest; undefined: the job was not to be handed off
 * @param receipt - what the receipt says
 * @returns undefined when it did, else what differs
 */
export function gpusProblem(
  demanded: GpuDemanded | undefined,
  receipt: Pick<ReceiptBody, 'handOff' | 'shards'>,
): string | undefined {
  const nodes = runners(receipt)
  const wanted = demanded?.gpu?.minimumDevices
  if (wanted === undefined)
    return nodes.every(({ gpu }) => gpu === undefined)
      ? undefined
      : 'the receipt names GPUs, and the manifest demands none'
  const without = nodes.find(({ gpu }) => gpu === undefined || gpu.devices < wanted)
  if (without === undefined) return undefined
  return `the manifest demands ${wanted} GPUs, and the receipt names ${without.gpu?.devices ?? 0} of ${without.node}`
}

/**
 * What a receipt says of GPUs, in words, with what such evidence does not prove.
 *
 * @param receipt - what it says
 * @returns a sentence for each node and each limit; empty where it says nothing of GPUs
 */
export function gpusSaid(receipt: Pick<ReceiptBody, 'handOff' | 'shards'>): string {
  const shown = runners(receipt).flatMap(({ node, gpu }) => (gpu === undefined ? [] : [{ node, gpu }]))
  const limits = new Set(shown.flatMap(({ gpu }) => gpu.limits))
  return [
    ...shown.map(({ node, gpu }) => `${node} showed ${gpu.devices} GPUs in confidential mode.`),
    ...[...limits].map((limit) => gpuLimitTexts[limit]),
  ].join(' ')
}

function runners({ handOff, shards }: Pick<ReceiptBody, 'handOff' | 'shards'>): readonly {
  readonly node: string
  readonly gpu?: AppraisedGpus
}[] {
  return shards ?? (handOff === undefined ? [] : [handOff])
}
