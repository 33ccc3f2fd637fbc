import { QueryError, type Span } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import { type CalendarUnit, calendarUnits } from '../type/calendar.js'
import type { Typed, TypedMoment, TypedNumber } from '../type/expression.js'
import { intervalOf } from '../type/interval.js'
import { isMoment } from '../type/moment.js'
import { boundariesBetween, extractPart, momentParts, truncateMoment } from '../type/moment-part.js'
import type { Scope } from './scope.js'

/**
 * Types a function of moments. The unit is a literal: what a statement computes must not depend on the data.
 *
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, `TYPE_MISMATCH`, `NUMBER_RANGE`
 */
export function bindMomentFunction(
  syntax: Syntax & { readonly kind: 'call' },
  scope: Scope,
  bind: (value: Syntax) => Typed,
): Typed {
  const { name, parameters, span } = syntax
  const [unit, first, second, more] = parameters
  const wanted = name === 'date_diff' ? second !== undefined : second === undefined
  if (unit === undefined || first === undefined || !wanted || more !== undefined) {
    throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  }
  const value = bind(first)
  switch (name) {
    case 'extract': {
      const part = wordOf(unit, scope, momentParts)
      if (value.type === 'null') return value
      // Only its length in seconds is a number that everybody agrees on, and only without months.
      if (value.type === 'interval') {
        const constant = value.months.expression.kind === 'constant' && value.months.low === 0n
        if (part !== 'epoch' || !constant) throw new QueryError('TYPE_MISMATCH', span)
        return value.seconds
      }
      return extractPart(part, moment(value, first.span), span)
    }
    case 'date_trunc': {
      const cut = unitOf(unit, scope)
      return value.type === 'null' ? value : truncateMoment(cut, moment(value, first.span), span)
    }
    case 'date_diff': {
      const counted = unitOf(unit, scope)
      const other = second === undefined ? value : bind(second)
      if (value.type === 'null' || other.type === 'null') return { type: 'null' }
      const to = moment(other, second?.span ?? span)
      return boundariesBetween(counted, moment(value, first.span), to, span)
    }
    default: {
      const of = unitOf(unit, scope)
      return value.type === 'null' ? value : intervalOf(of, number(value, first.span), span)
    }
  }
}

function moment(value: Typed, at: Span): TypedMoment {
  if (!isMoment(value)) throw new QueryError('TYPE_MISMATCH', at)
  return value
}

function number(value: Typed, at: Span): TypedNumber {
  if (value.type !== 'number') throw new QueryError('TYPE_MISMATCH', at)
  const { domain: _, ...plain } = value
  return plain
}

function unitOf(syntax: Syntax, scope: Scope): CalendarUnit {
  return wordOf(syntax, scope, calendarUnits)
}

/** The literal word, in any letters. */
function wordOf<T extends string>(syntax: Syntax, scope: Scope, words: readonly T[]): T {
  const literal = scope.literal(syntax)
  const word = literal?.type === 'text' ? literal.text.toLowerCase() : ''
  const found = words.find((known) => known === word)
  if (found === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', syntax.span)
  return found
}
