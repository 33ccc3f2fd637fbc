import { QueryError, type Span } from '../errors.js'
import type { FrameEndSyntax, FrameSyntax, Syntax } from './syntax.js'
import type { Fields } from './tree.js'

/** PostgreSQL's bits of a window frame (`FRAMEOPTION_...` of its parsenodes.h). */
const bit = {
  range: 0x2,
  rows: 0x4,
  groups: 0x8,
  startUnbounded: 0x20,
  endUnbounded: 0x100,
  startCurrent: 0x200,
  endCurrent: 0x400,
  startPreceding: 0x800,
  endPreceding: 0x1000,
  exclude: 0x38000,
} as const

/** RANGE from the start to the current row: what OVER (ORDER BY ...) means when no frame is written. */
const unwritten = 1058

/**
 * Reads the frame of a window: ROWS between any ends, RANGE between the ends of the partition and the current row.
 *
 * @param over the fields of OVER
 * @returns null where no frame is written
 * @throws QueryError `WINDOW_NOT_ALLOWED` for GROUPS, EXCLUDE, and RANGE with an offset
 */
export function readFrame(over: Fields, span: Span, read: (child: unknown) => Syntax): FrameSyntax | null {
  const { frameOptions } = over
  // Without a number there is no bit of any end, which is refused below.
  const options = typeof frameOptions === 'number' ? frameOptions : 0
  const refuse = (): never => {
    throw new QueryError('WINDOW_NOT_ALLOWED', span)
  }
  if (options === unwritten) return null
  const has = (flag: number): boolean => (options & flag) !== 0
  if (has(bit.groups) || has(bit.exclude)) return refuse()
  const mode = has(bit.rows) ? 'rows' : 'range'
  const end = (side: 'start' | 'end'): FrameEndSyntax => {
    if (has(side === 'start' ? bit.startUnbounded : bit.endUnbounded)) return 'unbounded'
    if (has(side === 'start' ? bit.startCurrent : bit.endCurrent)) return 'current'
    // What values lie within a distance is no count of rows.
    if (mode === 'range') return refuse()
    const offset = () => read(over[`${side}Offset`])
    if (has(side === 'start' ? bit.startPreceding : bit.endPreceding)) {
      return { direction: 'preceding', offset: offset() }
    }
    return { direction: 'following', offset: offset() }
  }
  return { mode, from: end('start'), to: end('end') }
}
