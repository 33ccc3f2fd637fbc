/**
 * The script that every fresh context runs before the approved code. It takes away what would make a run depend on
 * anything but its input, and returns the functions through which text crosses. One host function is there, and only inside
 * this closure: text in, text out, to the pure functions of `batch/`. Nothing else in the context reaches the host.
 *
 * The code may rewrite every global. That harms only itself: the harness keeps the originals in its closure, and the
 * host takes nothing from the context but strings whose length it has read first.
 */
export const HARNESS = `((host, attachments) => {
'use strict'
const parse = JSON.parse, stringify = JSON.stringify, isFinite = Number.isFinite, isArray = Array.isArray
const hasOwn = Object.prototype.hasOwnProperty.call.bind(Object.prototype.hasOwnProperty)
const getPrototypeOf = Object.getPrototypeOf, defineProperty = Object.defineProperty
const exec = RegExp.prototype.exec.call.bind(RegExp.prototype.exec)
const includes = String.prototype.includes.call.bind(String.prototype.includes)
const isWellFormed = String.prototype.isWellFormed.call.bind(String.prototype.isWellFormed)
const isSafeInteger = Number.isSafeInteger
const slice = String.prototype.slice.call.bind(String.prototype.slice)
const Internal = InternalError, NativeTypeError = TypeError, NativeSyntaxError = SyntaxError, text = String
const world = globalThis

const refuse = (name, remedy) => {
  const stub = function () { throw new NativeTypeError(name + ' is not available in the sandbox: ' + remedy) }
  return stub
}
const put = (target, key, value) => defineProperty(target, key, { value, writable: true, configurable: true })

// A string must never become code: what was approved is the digest of the code, nothing else.
const noCode = 'code is fixed by its digest'
put(world, 'eval', refuse('eval', noCode))
const NoFunction = refuse('Function', noCode)
defineProperty(NoFunction, 'prototype', { value: Function.prototype })
put(Function.prototype, 'constructor', NoFunction)
put(world, 'Function', NoFunction)
for (const kind of [function* () {}, async function () {}, async function* () {}]) {
  defineProperty(getPrototypeOf(kind), 'constructor', { value: NoFunction, configurable: true })
}

const fixed = 'a run depends on its input alone'
put(Math, 'random', refuse('Math.random', fixed))
const NoDate = refuse('Date', fixed)
for (const name of ['now', 'parse', 'UTC']) put(NoDate, name, refuse('Date.' + name, fixed))
put(world, 'Date', NoDate)
delete world.SharedArrayBuffer
delete world.Atomics
delete world.InternalError

const lines = []
let lineCount = 0
const show = (value) => {
  if (typeof value === 'string') return value
  try { return text(typeof value === 'object' ? stringify(value) : value) } catch { return '[unprintable]' }
}
const write = (...values) => {
  if (lineCount >= 100) return
  let line = ''
  for (let index = 0; index < values.length && line.length < 1000; index++) {
    line += (index === 0 ? '' : ' ') + slice(show(values[index]), 0, 1000)
  }
  defineProperty(lines, lineCount++, { value: slice(line, 0, 1000), enumerable: true })
}
const console = {}
for (const name of ['debug', 'error', 'info', 'log', 'trace', 'warn']) put(console, name, write)
put(world, 'console', console)

// The functions of batch/batch.ts: arguments go as JSON text, and at most one long text goes as it is.
const call = (name, args, long) => {
  const given = typeof long === 'string' ? long : ''
  // A C string ends at U+0000, and UTF-8 knows no half of a pair: a text that has one crosses as JSON text.
  const answer = includes(given, '\0') || !isWellFormed(given)
    ? parse(host('"' + name, stringify(args), stringify(given)))
    : parse(host(name, stringify(args), given))
  if (hasOwn(answer, 'no')) throw new NativeTypeError('batch.' + name + ': ' + answer.no)
  return answer.ok
}
const tableOf = ({ table, count, columns }) => ({
  count, columns,
  map: (name, expression) => tableOf(call('map', [table, name, expression])),
  filter: (expression) => tableOf(call('filter', [table, expression])),
  aggregate: (figures, by) => call('aggregate', [table, figures, by]),
  rows: (from = 0, to = count, names) => call('rows', [table, from, to, names]),
  attach: (names = columns, booleans = [], coded = false) => call('attachColumns', [table, names, booleans, coded]),
  drop: () => { call('drop', [table]) },
})
put(world, 'batch', {
  sha256: (long) => call('sha256', [], long),
  keccak256: (long) => call('keccak256', [], long),
  sha256All: (texts) => call('sha256All', [texts]),
  keccak256All: (texts) => call('keccak256All', [texts]),
  test: (pattern, flags, long) => call('test', [pattern, flags], long),
  exec: (pattern, flags, long) => call('exec', [pattern, flags], long),
  matches: (pattern, flags, long, most = 1000000) => call('matches', [pattern, flags, most], long),
  replace: (pattern, flags, long, replacement) => call('replace', [pattern, flags, replacement], long),
  table: (format, long) => tableOf(
    typeof long === 'object' && long !== null && hasOwn(long, 'attachment')
      ? call('table', [format, long.attachment])
      : call('table', [format], long),
  ),
  attachment: (number) => {
    if (!isSafeInteger(number) || number < 0 || number >= attachments) {
      throw new NativeTypeError('batch.attachment: the job has no attachment of this number')
    }
    return host('attachment', text(number), '')
  },
  attach: (long) => {
    if (typeof long !== 'string' || includes(long, '\0') || !isWellFormed(long)) {
      throw new NativeTypeError('batch.attach: expected a text without U+0000 and lone surrogates')
    }
    return call('attach', [], long)
  },
})

const notJson = {}
const strict = function (_key, value) {
  const kind = typeof value
  if (kind === 'string' || kind === 'boolean' || kind === 'object') return value
  if (kind === 'number' && isFinite(value)) return value
  if (kind === 'undefined' && !isArray(this)) return value
  throw notJson
}

let kept = ''
let reason = ''
const explain = (error) => {
  let name = 'Error'
  let line = 0
  let kind = 'threw'
  try {
    // With no room left even for the error, QuickJS throws null; code that throws null itself is told the same.
    if (error === null) kind = 'memory'
    else if (error instanceof Internal) {
      name = 'InternalError'
      const message = error.message
      if (message === 'out of memory' || message === 'string too long') kind = 'memory'
      if (message === 'stack overflow') kind = 'stack'
    } else if (error instanceof NativeSyntaxError) kind = 'syntax'
    const own = error.constructor.name
    if (typeof own === 'string') name = slice(own, 0, 64)
  } catch {}
  try {
    const match = exec(/code\\.js:(\\d+)/, error.stack)
    if (match) line = +match[1]
  } catch {}
  reason = kind + ' ' + line + ' ' + name
}

return {
  run(entry, input) {
    let call, argument
    try {
      const functions = world.sealpool
      if (typeof functions !== 'object' || functions === null || !hasOwn(functions, entry)) return 1
      call = functions[entry]
      if (typeof call !== 'function') return 1
      argument = parse(input)
    } catch (error) { explain(error); return 4 }
    let output
    try { output = call(argument) } catch (error) { explain(error); return 4 }
    try {
      if (typeof output === 'object' && output !== null) {
        let promise = true
        try { promise = typeof output.then === 'function' } catch {}
        if (promise) return 3
      }
      const json = stringify(output, strict)
      if (json === undefined) return 2
      kept = json
      return 0
    } catch (error) {
      if (error === notJson || error instanceof NativeTypeError) return 2
      explain(error)
      return 4
    }
  },
  take: () => kept,
  why: () => reason,
  logs: () => stringify(lines),
  explain,
}
})`
