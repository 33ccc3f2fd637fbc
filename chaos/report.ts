/** What a run prints. */
import type { FaultReport } from './fault-report.js'
import type { InvariantResult } from './invariants.js'
import { type KnownFault, knownFaults } from './known.js'
import type { Soak } from './soak.js'

/** Milliseconds over all starts after a kill; null when there was none. */
export interface Spread {
  readonly count: number
  readonly minimum: number
  readonly median: number
  readonly maximum: number
}

/** What was found on one scene. */
export interface SceneReport {
  readonly state: 'embedded' | 'reorganised' | 'postgresql'
  readonly contributions: number
  readonly jobs: number
  readonly faults: readonly FaultReport[]
  readonly invariants: readonly InvariantResult[]
  /** From the start of the program after a kill until it listens, and until it is ready. */
  readonly recovery: { readonly listens: Spread | null; readonly ready: Spread | null }
  readonly soak: Soak | null
}

/** A whole run. */
export interface RunReport {
  readonly date: string
  readonly commit: string
  readonly seed: number
  readonly machine: { readonly cores: number; readonly loadBefore: number; readonly loadAfter: number }
  readonly seconds: number
  readonly scenes: readonly SceneReport[]
  readonly notDone: readonly string[]
  /** Faults of the node that are known and open. */
  readonly known: readonly string[]
}

/** @returns the spread of times */
export function spreadOf(times: readonly number[]): Spread | null {
  const sorted = [...times].sort((a, b) => a - b)
  const [minimum, maximum] = [sorted[0], sorted.at(-1)]
  if (minimum === undefined || maximum === undefined) return null
  const upper = sorted[Math.floor(sorted.length / 2)] ?? minimum
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? minimum
  const whole = Math.round
  return {
    count: sorted.length,
    minimum: whole(minimum),
    median: whole((lower + upper) / 2),
    maximum: whole(maximum),
  }
}

/** @returns everything that must not be, without what known faults make */
export function breachesOf(report: Pick<RunReport, 'scenes'>, known = knownFaults): string[] {
  return breaches(report, (state, breach) => !isKnown(known, state, breach))
}

/** @returns what known faults have made in this run */
export function knownBreachesOf(report: Pick<RunReport, 'scenes'>, known = knownFaults): string[] {
  return breaches(report, (state, breach) => isKnown(known, state, breach))
}

function breaches(
  { scenes }: Pick<RunReport, 'scenes'>,
  wanted: (state: string, breach: string) => boolean,
): string[] {
  return scenes.flatMap(({ state, faults, invariants }) => {
    const of = (name: string, found: readonly string[]) =>
      found.filter((one) => wanted(state, one)).map((one) => `${state}, ${name}: ${one}`)
    return [
      ...faults.flatMap((one) => of(one.fault, one.breaches)),
      ...invariants.flatMap((one) => of(one.name, one.breaches)),
    ]
  })
}

function isKnown(faults: readonly KnownFault[], state: string, breach: string): boolean {
  return faults.some(({ makes }) => makes?.state === state && makes.breach.test(breach))
}

const titles = {
  embedded: 'embedded store',
  reorganised: 'embedded store, a chain that is reorganised',
  postgresql: 'PostgreSQL',
} as const

/** @returns the report as lines of a table */
export function tableOf(report: RunReport, faults = knownFaults): string[] {
  const lines: string[] = []
  const { cores, loadBefore, loadAfter } = report.machine
  lines.push(
    `chaos, seed ${report.seed}, commit ${report.commit}, ${report.date}`,
    `${cores} cores, load ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after, ${Math.round(report.seconds)} s`,
  )
  for (const scene of report.scenes) {
    const where = titles[scene.state]
    lines.push('', `${where}: ${scene.contributions} contributions, ${scene.jobs} paid jobs`, '')
    lines.push(
      ...rows(
        ['fault', 'injected', 'breaches'],
        scene.faults.map((one) => [one.fault, String(one.injected), String(one.breaches.length)]),
      ),
    )
    for (const { fault, notes } of scene.faults) for (const note of notes) lines.push(`  ${fault}: ${note}`)
    lines.push('')
    lines.push(
      ...rows(
        ['invariant', 'checked', 'breaches'],
        scene.invariants.map((one) => [one.name, String(one.checked), String(one.breaches.length)]),
      ),
    )
    lines.push('')
    for (const [name, spread] of Object.entries(scene.recovery)) {
      if (spread === null) continue
      lines.push(
        `after a kill, until the node ${name === 'ready' ? 'is ready' : name}: min ${spread.minimum} ms, median ${spread.median} ms, max ${spread.maximum} ms (${spread.count} starts)`,
      )
    }
    if (scene.soak !== null) {
      const { minutes, contributions, jobs, curve, megabytesPerMinute } = scene.soak
      lines.push(
        `soak of ${minutes} minutes, ${contributions} contributions, ${jobs} jobs: memory ${megabytesPerMinute.toFixed(2)} MB per minute`,
        `  ${curve.map(({ minute, megabytes }) => `${minute} min ${megabytes} MB`).join(', ')}`,
      )
    }
  }
  for (const one of report.notDone) lines.push(`not done: ${one}`)
  for (const one of report.known) lines.push(`known and open: ${one}`)
  const breaches = breachesOf(report, faults)
  const known = knownBreachesOf(report, faults)
  if (known.length > 0) lines.push('', `${known.length} breaches by faults that are known and open`)
  lines.push(...known.slice(0, 20).map((one) => `  ${one}`))
  const clean =
    known.length === 0 ? 'nothing was lost, doubled or told' : 'nothing else was lost, doubled or told'
  lines.push('', breaches.length === 0 ? clean : `${breaches.length} BREACHES`)
  lines.push(...breaches.slice(0, 50).map((one) => `  ${one}`))
  return lines
}

function rows(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const all = [head, ...body]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map(
    (row) =>
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`,
  )
}
