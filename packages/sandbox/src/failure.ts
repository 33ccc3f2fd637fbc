import type { RunErrorCode } from './errors.js'

/** A run that gave nothing: {@link RunResult} without its output. */
export interface RunFailure {
  readonly ok: false
  readonly code: RunErrorCode
  readonly message: string
  readonly place: string
}

const messages: Readonly<Record<Exclude<RunErrorCode, 'THREW'>, string>> = {
  TIMEOUT: 'the code ran past its deadline; give it less work or more time',
  OUT_OF_MEMORY: 'code, input and what the code allocates need more than the memory limit',
  STACK_OVERFLOW: 'the code recursed deeper than its stack allows',
  OUT_OF_STEPS: 'the code took more steps than its limit; give it less work or more steps',
  OUTPUT_TOO_LARGE: 'the output is longer than the limit; return less or raise outputBytes',
  OUTPUT_NOT_JSON:
    'the output is not plain JSON (undefined, function, symbol, bigint, NaN, cycle, promise or too deep a nesting)',
  ENTRY_MISSING: 'the code does not set globalThis.sealpool to an object with a function of the asked name',
  CODE_INVALID: 'the code is not a script that parses; bundle it to one classic script',
  RUNTIME_LOST: 'the process that ran the code ended; run again with a new one',
}

/**
 * Builds a failure whose text is ours alone.
 *
 * @param code why
 * @param place `line 12` or the stage
 */
export function failure(code: Exclude<RunErrorCode, 'THREW'>, place: string): RunFailure {
  return { ok: false, code, message: messages[code], place }
}

const builtinErrors = new Set([
  'AggregateError',
  'Error',
  'EvalError',
  'InternalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
])

/**
 * Reads the harness's one-line explanation of a thrown error, which is hostile text: the code can name its error
 * class after what it has read. A class name passes only when it is a builtin's or stands in the code as a class
 * declaration, a line only when the code has that line; so what gets out was in the approved code before.
 *
 * @param reason `<kind> <line> <class name>`
 * @param code the script that ran
 * @param stage where the engine was
 */
export function explainThrow(reason: string, code: string, stage: string): RunFailure {
  const [, kind = 'threw', digits = '0', claimed = 'Error'] =
    /^(\w+) (\d{1,9}) ([\p{ID_Start}$_][\p{ID_Continue}$]*)$/u.exec(reason) ?? []
  const line = Number(digits)
  const place = line > 0 && line <= code.split('\n').length ? `line ${line}` : stage
  if (kind === 'memory') return failure('OUT_OF_MEMORY', place)
  if (kind === 'stack') return failure('STACK_OVERFLOW', place)
  if (kind === 'syntax' && stage === 'load') return failure('CODE_INVALID', place)
  const known = builtinErrors.has(claimed) || declaresClass(code, claimed)
  return {
    ok: false,
    code: 'THREW',
    message: `the code threw ${known ? claimed : 'an error of its own'}; its message is withheld, it may hold private data`,
    place,
  }
}

function declaresClass(code: string, name: string): boolean {
  const plain = name.replaceAll('$', '\\$')
  // Bundlers turn declarations into `Name=class`.
  return new RegExp(
    `class\\s+${plain}(?![\\p{ID_Continue}$])|(?<![\\p{ID_Continue}$.])${plain}\\s*=\\s*class(?![\\p{ID_Continue}$])`,
    'u',
  ).test(code)
}
