/**
 * Vectors of unit length in their one form: a JSON list of numbers with at most four decimals, `[0.6,-0.8,0]`. DuckDB and pgvector read it as
 * it is, and rounding takes away most of what two processors differ in, so that the same text has the same digest.
 */

/** Steps of a component in 1. */
const STEPS = 10_000
const component = /^-?(?:0|1|0\.\d{1,4})$/

/**
 * Brings numbers to unit length and into the one form.
 *
 * @param values - what a model gave
 * @param dimensions - how many there must be
 * @returns the text; null for a vector of length 0, which has no direction; undefined for what is no such vector
 */
export function vectorText(values: ArrayLike<number>, dimensions: number): string | null | undefined {
  if (values.length !== dimensions) return undefined
  let largest = 0
  for (let at = 0; at < dimensions; at += 1) {
    const value = values[at]
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
    largest = Math.max(largest, Math.abs(value))
  }
  if (largest === 0) return null
  // By the largest first: squares of very small and very large numbers are 0 and infinite.
  const scaled = Array.from({ length: dimensions }, (_, at) => (values[at] ?? 0) / largest)
  const length = Math.sqrt(scaled.reduce((sum, value) => sum + value * value, 0))
  // Adding 0 makes 0 of -0.
  return `[${scaled.map((value) => Math.round((value / length) * STEPS) / STEPS + 0).join(',')}]`
}

/**
 * Reads a vector's text.
 *
 * @param text - a cell of a vector column
 * @param dimensions - how many numbers there must be
 * @returns its numbers; undefined for what is not in the one form
 */
export function vectorValues(text: string, dimensions: number): Float32Array | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined
  const parts = text.slice(1, -1).split(',')
  // What is written in another way (`0.50`, `-0`) would be another row with the same meaning.
  if (
    parts.length !== dimensions ||
    !parts.every((part) => component.test(part) && String(Number(part)) === part)
  )
    return undefined
  return Float32Array.from(parts, Number)
}
