import { keccakHex, sha256Hex } from './hash.js'
import { linearRegExp } from './regular-expression/index.js'
import { BatchError, type Column, cellAt, type Reserve, type Table } from './table.js'

/**
 * A column's worth of work as data: `['column', name]`, a plain number, boolean, null, `['text', value]`, or
 * `[operation, ...arguments]`.
 */
export type Expression = unknown

interface Context {
  readonly table: Table
  readonly reserve: Reserve
  readonly tick: (steps: number) => void
}

type Value = number | string | null
type Row = (row: number) => Value

const DEEPEST = 64

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  min: (a, b) => (a < b ? a : b),
  max: (a, b) => (a > b ? a : b),
}
const unary: Readonly<Record<string, (a: number) => number>> = {
  abs: (a) => (a < 0 ? -a : a),
  floor: Math.floor,
  ceil: Math.ceil,
  sqrt: Math.sqrt,
}
// Only what IEEE 754 fixes to the last bit: sin, exp and log differ between engines.
const comparisons: Readonly<Record<string, (a: number | string, b: number | string) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}
/** Functions of one text; numbers of `number` pass as they are. */
const texts: Readonly<Record<string, (text: string) => Value>> = {
  length: (text) => text.length,
  // ASCII alone: tables of other letters change with the version of Unicode.
  lower: (text) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase()),
  upper: (text) => text.replace(/[a-z]+/g, (part) => part.toUpperCase()),
  trim: (text) => text.replace(/^[\t\n\v\f\r ]+/, '').replace(/[\t\n\v\f\r ]+$/, ''),
  number: (text) =>
    isDigits(text) || /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? finite(Number(text)) : null,
  sha256: sha256Hex,
  keccak256: keccakHex,
}

/**
 * Evaluates an expression on every row.
 *
 * Nothing (null) goes through arithmetic, comparison and text functions as nothing; conditions are 1, 0 or nothing. Division by
 * zero and what overflows is nothing, never an infinity.
 *
 * @returns what each row gave, numbers and texts beside each other as they are
 * @throws BatchError for an expression that is none
 */
export function evaluateColumn(expression: Expression, context: Context): Column {
  const coded = codedSource(expression, context.table)
  if (coded !== undefined)
    return { ...evaluateRows(expression, { ...context, table: coded.values }), codes: coded.codes }
  return evaluateRows(expression, context)
}

/**
 * Where an expression looks at one column and its values come again: those values as a table. An expression says the same of the same cell, so
 * it is asked once for each.
 */
function codedSource(
  expression: Expression,
  { columns }: Table,
): { readonly values: Table; readonly codes: Uint16Array } | undefined {
  const names = columnsIn(expression)
  const [name] = names
  const column = name === undefined || names.size > 1 ? undefined : columns.get(name)
  if (name === undefined || column?.codes === undefined) return undefined
  const { codes, ...values } = column
  return { values: { count: values.values.length, columns: new Map([[name, values]]) }, codes }
}

/** Names of the columns that an expression may look at. */
function columnsIn(expression: Expression, names = new Set<string>(), depth = 0): ReadonlySet<string> {
  // Deeper than this none is evaluated.
  if (!Array.isArray(expression) || depth > DEEPEST) return names
  const [operation, ...args] = expression
  if (operation === 'column' && typeof args[0] === 'string') names.add(args[0])
  for (const arg of args) columnsIn(arg, names, depth + 1)
  return names
}

function evaluateRows(expression: Expression, context: Context): Column {
  const { count } = context.table
  const row = compile(expression, context, 0)
  context.reserve(count * 8)
  const numbers = new Float64Array(count)
  let list: (string | number | null)[] | undefined
  for (let index = 0; index < count; index++) {
    if ((index & 4095) === 4095) context.tick(4096)
    const value = row(index)
    if (typeof value === 'string' && list === undefined) {
      context.reserve(count * 8)
      list = Array.from(numbers.subarray(0, index), finite)
    }
    if (list === undefined) numbers[index] = typeof value === 'number' ? value : Number.NaN
    else {
      if (typeof value === 'string') context.reserve(value.length * 2)
      list.push(value)
    }
  }
  return list === undefined ? { type: 'number', values: numbers } : { type: 'cells', values: list }
}

/** Rows for which a condition holds. */
export function selectRows(expression: Expression, context: Context): Uint32Array {
  const row = compile(expression, context, 0)
  const { count } = context.table
  context.reserve(count * 4)
  const kept = new Uint32Array(count)
  let length = 0
  for (let index = 0; index < count; index++) {
    if ((index & 4095) === 4095) context.tick(4096)
    const value = row(index)
    if (typeof value === 'string') throw new BatchError('a condition must not give a text')
    if (value !== null && value !== 0) kept[length++] = index
  }
  return kept.slice(0, length)
}

function written(value: number): string | null {
  return Number.isFinite(value) ? JSON.stringify(value) : null
}

/** The common form, told without the expression's machinery. */
function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x30 || unit > 0x39) return false
  }
  return text !== ''
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function compile(expression: Expression, context: Context, depth: number): Row {
  if (depth > DEEPEST) throw new BatchError(`an expression nests at most ${DEEPEST} levels`)
  if (expression === null) return () => null
  if (typeof expression === 'number') return () => expression
  if (typeof expression === 'boolean') return () => (expression ? 1 : 0)
  if (!Array.isArray(expression) || typeof expression[0] !== 'string') {
    throw new BatchError('an expression is a number, a boolean, null, or [operation, ...arguments]')
  }
  const [operation, ...args] = expression as [string, ...unknown[]]
  const sub = (index: number): Row => compile(args[index] ?? null, context, depth + 1)
  const literal = (index: number): string => {
    const value = args[index]
    if (typeof value !== 'string') throw new BatchError(`${operation} needs a text as argument ${index + 1}`)
    return value
  }
  const demand = (length: number): void => {
    if (args.length !== length) throw new BatchError(`${operation} takes ${length} arguments`)
  }
  const twoNumbers = own(arithmetic, operation)
  if (twoNumbers !== undefined) {
    demand(2)
    const [left, right] = [sub(0), sub(1)]
    return (row) => {
      const a = left(row)
      const b = right(row)
      return typeof a === 'number' && typeof b === 'number' ? finite(twoNumbers(a, b)) : null
    }
  }
  const oneNumber = own(unary, operation)
  if (oneNumber !== undefined) {
    demand(1)
    const inner = sub(0)
    return (row) => {
      const value = inner(row)
      return typeof value === 'number' ? finite(oneNumber(value)) : null
    }
  }
  const comparison = own(comparisons, operation)
  if (comparison !== undefined) {
    demand(2)
    const [left, right] = [sub(0), sub(1)]
    return (row) => {
      const a = left(row)
      const b = right(row)
      if (a === null || b === null || typeof a !== typeof b) return null
      return comparison(a, b) ? 1 : 0
    }
  }
  const text = own(texts, operation)
  if (text !== undefined) {
    demand(1)
    const inner = sub(0)
    if (operation !== 'number') return onText(inner, context, text)
    const read = onText(inner, context, text)
    return (row) => {
      const value = inner(row)
      return typeof value === 'number' ? value : read(row)
    }
  }
  switch (operation) {
    case 'column': {
      demand(1)
      const column = context.table.columns.get(literal(0))
      if (column === undefined) throw new BatchError('the table has no column of this name')
      return (row) => {
        const value = cellAt(column, row)
        return typeof value === 'number' ? finite(value) : value
      }
    }
    case 'text': {
      demand(1)
      const value = literal(0)
      return () => value
    }
    case 'and':
    case 'or': {
      // As in SQL: a side that decides does so whatever the other is; else nothing stays nothing.
      const sides = args.map((_, index) => sub(index))
      const deciding = operation === 'or' ? 1 : 0
      return (row) => {
        let unknown = false
        for (const side of sides) {
          const value = side(row)
          if (typeof value !== 'number') unknown = true
          else if ((value === 0 ? 0 : 1) === deciding) return deciding
        }
        return unknown ? null : 1 - deciding
      }
    }
    case 'not': {
      demand(1)
      const inner = sub(0)
      return (row) => {
        const value = inner(row)
        return typeof value === 'number' ? (value === 0 ? 1 : 0) : null
      }
    }
    case 'missing': {
      demand(1)
      const inner = sub(0)
      return (row) => (inner(row) === null ? 1 : 0)
    }
    case 'if': {
      demand(3)
      const [condition, yes, no] = [sub(0), sub(1), sub(2)]
      return (row) => {
        const value = condition(row)
        return typeof value === 'number' && value !== 0 ? yes(row) : no(row)
      }
    }
    case 'in': {
      const inner = sub(0)
      const list = args[1]
      if (!Array.isArray(list)) throw new BatchError('in needs a list as argument 2')
      const set = new Set<unknown>(list)
      return (row) => {
        const value = inner(row)
        return value === null ? null : set.has(value) ? 1 : 0
      }
    }
    case 'matches': {
      demand(3)
      const pattern = linearRegExp(literal(1), literal(2), context.tick)
      return onText(sub(0), context, (value) => (pattern.test(value) ? 1 : 0))
    }
    case 'extract': {
      demand(3)
      const pattern = linearRegExp(literal(1), literal(2), context.tick)
      return onText(sub(0), context, (value) => {
        const found = pattern.exec(value)
        return found === null ? null : ((found.length > 1 ? found[1] : found[0]) ?? null)
      })
    }
    case 'replace': {
      demand(4)
      const pattern = linearRegExp(literal(1), literal(2), context.tick)
      const replacement = literal(3)
      return onText(sub(0), context, (value) => pattern.replace(value, replacement))
    }
    case 'slice': {
      demand(3)
      const [from, to] = [args[1], args[2]]
      if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
        throw new BatchError('slice needs whole numbers as arguments 2 and 3')
      }
      return onText(sub(0), context, (value) => value.slice(from as number, to as number))
    }
    case 'concat': {
      const parts = args.map((_, index) => sub(index))
      return (row) => {
        let whole = ''
        for (const part of parts) {
          const value = part(row)
          if (value === null) return null
          whole += typeof value === 'number' ? (written(value) ?? '') : value
        }
        context.tick(whole.length >> 6)
        return whole
      }
    }
    default:
      throw new BatchError('there is no operation of this name')
  }
}

function own<Kind>(table: Readonly<Record<string, Kind>>, name: string): Kind | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function onText(inner: Row, context: Context, work: (text: string) => Value): Row {
  return (row) => {
    const value = inner(row)
    if (typeof value !== 'string') return null
    context.tick(value.length >> 4)
    return work(value)
  }
}
