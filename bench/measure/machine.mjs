import { availableParallelism, cpus, loadavg } from 'node:os'

/**
 * Says what the figures below were measured on, and how busy it was.
 *
 * @param print takes one line
 */
export function printMachine(print) {
  const [processor] = cpus()
  const load = loadavg()[0].toFixed(1)
  print(
    `Node ${process.versions.node}, ${availableParallelism()} cores (${processor?.model.trim() ?? 'unknown'}), load ${load}. Medians.`,
  )
}
