import { findMatch, type Spans } from './match.js'
import { compilePattern } from './program.js'

export { PatternError } from './syntax.js'

/** A regular expression whose time is linear in the text. */
export interface LinearRegExp {
  test(text: string): boolean
  /** The first match's text and groups, null where a group took no part. */
  exec(text: string): readonly (string | null)[] | null
  /** All matches that do not overlap: whole texts, or the first group where there is one. */
  matches(text: string, most: number): string[]
  /** Replaces all matches; `$1` to `$9`, `$&` and `$$` as in ECMAScript. */
  replace(text: string, replacement: string): string
}

/**
 * Compiles a pattern; see `parsePattern` for what is taken.
 *
 * @param pattern the expression
 * @param flags of `i`, `m`, `s`
 * @param tick told of the work done; throws when there is no time left
 * @throws PatternError
 */
export function linearRegExp(pattern: string, flags: string, tick: (steps: number) => void): LinearRegExp {
  const program = compilePattern(pattern, flags)
  const each = function* (text: string): Generator<Spans> {
    for (let from = 0; from <= text.length; ) {
      const spans = findMatch(program, text, from, tick)
      if (spans === undefined) return
      yield spans
      const [start = 0, end = 0] = spans
      // A match of nothing moves on by a whole code point.
      from = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1)
    }
  }
  const part = (text: string, spans: Spans, group: number): string | null => {
    const start = spans[group * 2] ?? -1
    const end = spans[group * 2 + 1] ?? -1
    return start < 0 || end < 0 ? null : text.slice(start, end)
  }
  return {
    test: (text) => findMatch(program, text, 0, tick) !== undefined,
    exec(text) {
      const spans = findMatch(program, text, 0, tick)
      return spans === undefined
        ? null
        : Array.from({ length: program.groups }, (_, group) => part(text, spans, group))
    },
    matches(text, most) {
      const found: string[] = []
      for (const spans of each(text)) {
        if (found.length >= most) break
        found.push(part(text, spans, program.groups > 1 ? 1 : 0) ?? '')
      }
      return found
    },
    replace(text, replacement) {
      const pieces: string[] = []
      let last = 0
      for (const spans of each(text)) {
        const [start = 0, end = 0] = spans
        pieces.push(text.slice(last, start))
        pieces.push(
          replacement.replace(/\$([$&1-9])/g, (whole, what: string) => {
            if (what === '$') return '$'
            if (what === '&') return part(text, spans, 0) ?? ''
            return Number(what) < program.groups ? (part(text, spans, Number(what)) ?? '') : whole
          }),
        )
        last = end
      }
      pieces.push(text.slice(last))
      return pieces.join('')
    },
  }
}
