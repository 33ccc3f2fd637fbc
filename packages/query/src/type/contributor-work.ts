import { QueryError, type Span } from '../errors.js'
import { copiesOf, sizeOf } from './printed-size.js'
import { type Block, blockRowBound } from './relation.js'

/**
 * Most that one contributor's rows may cost. An engine that runs out of time or memory because of one person tells that the person is
 * there, whatever the noise: this is far below what it can do.
 */
export const mostWork = 50_000_000

/** Their rows are counted by themselves. */
const relations: ReadonlySet<string> = new Set(['table', 'public', 'select', 'union'])

/**
 * What one contributor's rows can cost an engine, at most: for each SELECT, however it is nested and as often as it is printed, its
 * rows of one contributor times the parts that are computed for each of them.
 */
export function contributorWork(program: object): number {
  const sizes = new WeakMap<object, number>()
  const known = new WeakMap<object, number>()
  const workOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0
    const before = known.get(value)
    if (before !== undefined) return before
    const often = copiesOf(value)
    let work = 0
    for (const [name, part] of Object.entries(value)) work += workOf(part) * (often?.[name] ?? 1)
    if (isBlock(value)) {
      const own = Object.values(value).map((part) => sizeOf(part, sizes, (kind) => relations.has(kind)))
      work += blockRowBound(value) * own.reduce((sum, size) => sum + size, 1)
    }
    known.set(value, work)
    return work
  }
  return workOf(program)
}

function isBlock(value: object): value is Block {
  return 'unit' in value && 'where' in value
}

/** @throws QueryError `TOO_LARGE` */
export function requireLittleWork(programs: readonly object[], at: Span): void {
  const work = programs.reduce((sum: number, program) => sum + contributorWork(program), 0)
  if (work > mostWork) throw new QueryError('TOO_LARGE', at)
}
