import { PrivacyError } from '../errors.js'
import type { Charge } from './filter.js'

/**
 * How private data flows into releases: a table that is read, a step that only computes, or a release (a step whose output
 * has noise and a price). Steps may share inputs; the same object read twice is one and the same step.
 */
export type DataFlow =
  | { readonly kind: 'table'; readonly leaf: string }
  | { readonly kind: 'step'; readonly from: readonly DataFlow[] }
  | { readonly kind: 'release'; readonly charge: Charge; readonly from: readonly DataFlow[] }

/** Most nodes of a flow. */
const MOST_NODES = 100_000

/**
 * What each leaf (the contributors of one table) pays for a plan, however its queries nest or cross pools.
 *
 * A release is paid by every table that flows into it without passing another release, once, however many paths lead there:
 * its sensitivity already covers a contributor's whole data. What comes out of a release is public, so steps on it are free.
 *
 * @param outputs - Ends of the flow; each must be a release or computed from releases only.
 * @returns Charge by leaf.
 * @throws PrivacyError `OUTPUT_REFUSED` when private data reaches an output without a release; `PARAMETER_INVALID` for a flow
 *   that runs in circles or is too large.
 */
export function chargeByLeaf(outputs: readonly DataFlow[]): ReadonlyMap<string, Charge> {
  const releases = new Set<Extract<DataFlow, { kind: 'release' }>>()
  const exposed = tablesInto(outputs, releases)
  if (exposed.size > 0) {
    throw new PrivacyError(
      'OUTPUT_REFUSED',
      'outputs',
      `Private data (${[...exposed].sort().join(', ')}) would leave without noise. Put a release between the table and the output.`,
    )
  }
  const paid = new Map<string, Charge[]>()
  // The set grows while it is walked: releases found below a release are paid too.
  for (const release of releases) {
    for (const leaf of tablesInto(release.from, releases)) {
      paid.set(leaf, [...(paid.get(leaf) ?? []), release.charge])
    }
    if (releases.size > MOST_NODES) throw tooLarge()
  }
  return new Map(
    [...paid].sort(([a], [b]) => (a < b ? -1 : 1)).map(([leaf, charges]) => [leaf, sumOfCharges(charges)]),
  )
}

/** Tables that reach `ends` without passing a release; the releases met are added to `met`. */
function tablesInto(
  ends: readonly DataFlow[],
  met: Set<Extract<DataFlow, { kind: 'release' }>>,
): ReadonlySet<string> {
  const tables = new Set<string>()
  const seen = new Set<DataFlow>()
  const open = [...ends]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    if (seen.size > MOST_NODES) throw tooLarge()
    if (node.kind === 'table') tables.add(node.leaf)
    else if (node.kind === 'release') met.add(node)
    else open.push(...node.from)
  }
  return tables
}

/**
 * The price of several releases on the same data together: epsilon and delta add up, and so does rho, where a release without
 * a zCDP guarantee of its own counts as epsilon squared over two (Bun, Steinke 2016).
 *
 * @param charges - At least one.
 * @returns One charge, valid under either accounting.
 */
export function sumOfCharges(charges: readonly Charge[]): Charge {
  const [only] = charges
  if (only !== undefined && charges.length === 1) return only
  const sum = { epsilon: 0, delta: 0, zcdp: { rho: 0, delta: 0 } }
  for (const { epsilon, delta, zcdp } of charges) {
    sum.epsilon += epsilon
    sum.delta += delta
    sum.zcdp.rho += zcdp?.rho ?? (epsilon * epsilon) / 2
    sum.zcdp.delta += zcdp?.delta ?? delta
  }
  return sum
}

function tooLarge(): PrivacyError {
  return new PrivacyError(
    'PARAMETER_INVALID',
    'outputs',
    `The data flow has more than ${MOST_NODES} steps. Plan it in parts.`,
  )
}
