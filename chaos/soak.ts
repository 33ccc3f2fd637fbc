/** A steady load for a long time, and how the node's memory behaves under it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { MemorySample, Scene } from './scene.js'

/** The memory curve of a soak. */
export interface Soak {
  readonly minutes: number
  readonly contributions: number
  readonly jobs: number
  /** Megabytes at the times of the curve, in minutes. */
  readonly curve: readonly { readonly minute: number; readonly megabytes: number }[]
  /** Least squares over everything after the first fifth. */
  readonly megabytesPerMinute: number
}

/** More than this is not flat: 150 MB in half an hour. */
export const steepestMegabytesPerMinute = 5

/** Feeds the node for so long. */
export async function soak(
  scene: Scene,
  options: { readonly minutes: number; readonly say: (line: string) => void },
): Promise<Soak> {
  const began = performance.now()
  const first = scene.memory.length
  const before = { sent: scene.workload.sent.length, paid: scene.workload.paid.length }
  const end = began + options.minutes * 60_000
  let told = 0
  while (performance.now() < end) {
    const round = performance.now()
    await scene.workload.contribute(3)
    await scene.workload.job()
    const minute = Math.floor((performance.now() - began) / 60_000)
    if (minute > told) {
      told = minute
      options.say(`soak: minute ${minute} of ${options.minutes}`)
    }
    await sleep(Math.max(0, 3_000 - (performance.now() - round)))
  }
  const samples = scene.memory.slice(first)
  return {
    minutes: options.minutes,
    contributions: scene.workload.sent.length - before.sent,
    jobs: scene.workload.paid.length - before.paid,
    ...memoryCurve(samples),
  }
}

/** Ten points of the curve and its slope. */
export function memoryCurve(samples: readonly MemorySample[]): Pick<Soak, 'curve' | 'megabytesPerMinute'> {
  const [start] = samples
  if (start === undefined) return { curve: [], megabytesPerMinute: 0 }
  const points = samples.map(({ at, bytes }) => ({
    minute: (at - start.at) / 60_000,
    megabytes: bytes / 1_000_000,
  }))
  const step = Math.max(1, Math.floor(points.length / 10))
  const warm = points.slice(Math.floor(points.length / 5))
  return {
    curve: points
      .filter((_, index) => index % step === 0)
      .map(({ minute, megabytes }) => ({
        minute: Math.round(minute * 10) / 10,
        megabytes: Math.round(megabytes),
      })),
    megabytesPerMinute: slope(warm),
  }
}

function slope(points: readonly { readonly minute: number; readonly megabytes: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length
  const [x, y] = [mean(points.map((one) => one.minute)), mean(points.map((one) => one.megabytes))]
  const above = points.reduce((sum, one) => sum + (one.minute - x) * (one.megabytes - y), 0)
  const below = points.reduce((sum, one) => sum + (one.minute - x) ** 2, 0)
  return below === 0 ? 0 : above / below
}
