/** Canonical JSON has a limit of 128 levels, and a plan stands inside of other documents. */
const deepest = 100

/** Whether a plan is nested deeper than documents around it can hold. */
export function isDeep(plan: unknown): boolean {
  let level: readonly unknown[] = [plan]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) return true
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    )
  }
  return false
}
