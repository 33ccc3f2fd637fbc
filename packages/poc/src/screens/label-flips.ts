import type { Screen } from '../define/screen.js'
import type { LabelReference } from './label-reference.js'
import { ramp } from './ramp.js'

/** Rows with a reference that are needed. */
const LEAST_ROWS = 20
/** Contributors that a kind of row needs to say anything. */
const LEAST_WEIGHT = 5
/** A label that fewer of the pool's give such rows is an unusual one. */
const UNUSUAL = 0.2

/** A row for {@link labelFlips}: of what kind it is, and what it is labelled as. */
export interface LabelledRow {
  /** The row's features in coarse steps, as one text: rows of one kind should mostly have one label. */
  readonly kind: string
  readonly label: string
}

/**
 * Screens labelled rows for labels that were turned: rows whose label few others give such rows, more of them than chance allows. It is held
 * against a reference that stands in the code or that the host gives (`facts.labels`).
 *
 * What it cannot do: see flips of a few rows or of one rare kind (a back door), anything where features do not tell the label, or a pool whose
 * majority was poisoned first. Who honestly differs from the pool looks the same.
 *
 * @param options `rows` of the value; `reference`: a table in the code, before the host's
 * @returns a screen; null without a reference, and for fewer than 20 rows that it knows
 */
export function labelFlips<Value>(options: {
  readonly rows: (value: Value) => readonly LabelledRow[]
  readonly reference?: LabelReference
}): Screen<Value> {
  return (value, { facts }) => {
    const reference = options.reference ?? facts.labels
    if (reference === undefined) return null
    let known = 0
    let unusual = 0
    let expected = 0
    let variance = 0
    for (const { kind, label } of options.rows(value)) {
      const weights = Object.hasOwn(reference, kind) ? Object.entries(reference[kind] ?? {}) : []
      const total = weights.reduce((sum, [, weight]) => sum + weight, 0)
      if (!(total >= LEAST_WEIGHT)) continue
      const shares = weights.map(([name, weight]) => [name, weight / total] as const)
      const rare = shares.reduce((sum, [, share]) => sum + (share < UNUSUAL ? share : 0), 0)
      const own = shares.find(([name]) => name === label)?.[1] ?? 0
      known++
      if (own < UNUSUAL) unusual++
      expected += rare
      variance += rare * (1 - rare)
    }
    if (known < LEAST_ROWS) return null
    const more = unusual - expected
    return { suspicion: Math.min(ramp(more / Math.sqrt(variance + 1), 2, 4), ramp(more / known, 0.05, 0.15)) }
  }
}
