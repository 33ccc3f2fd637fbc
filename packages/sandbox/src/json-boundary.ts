import { SandboxError } from './errors.js'
import type { JsonValue } from './runtime.js'

/** Deepest nesting of arrays and objects that crosses the boundary, either way. */
export const MAXIMUM_DEPTH = 256

/**
 * Nesting depth of a JSON text, found by counting brackets outside strings: no recursion, so that a text made to
 * exhaust a parser's stack is refused before any parser sees it.
 *
 * @param text JSON text
 * @returns the deepest nesting; 0 for a scalar
 */
export function jsonDepth(text: string): number {
  let depth = 0
  let deepest = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit === 0x22) {
      // Jumping from quote to quote keeps long strings cheap; a quote counts when an even number of backslashes precede it.
      for (;;) {
        index = text.indexOf('"', index + 1)
        if (index === -1) return deepest
        let slashes = 0
        while (text.charCodeAt(index - 1 - slashes) === 0x5c) slashes++
        if (slashes % 2 === 0) break
      }
    } else if (unit === 0x5b || unit === 0x7b) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (unit === 0x5d || unit === 0x7d) {
      depth--
    }
  }
  return deepest
}

/**
 * JSON text of a job's input.
 *
 * @param input the value
 * @returns text in which every character is well formed (lone surrogates are escaped)
 * @throws {@link SandboxError} `INPUT_NOT_JSON`
 */
export function encodeInput(input: JsonValue): string {
  let text: string | undefined
  try {
    text = JSON.stringify(input, refuseNonJson)
  } catch (cause) {
    // The cause is dropped on purpose: V8 names the input's own keys in its message on cycles.
    if (cause instanceof SandboxError) throw cause
    throw new SandboxError(
      'INPUT_NOT_JSON',
      'input',
      'the input has a cycle, a bigint or a toJSON that throws',
    )
  }
  if (text === undefined) {
    throw new SandboxError('INPUT_NOT_JSON', 'input', 'the input is undefined, a function or a symbol')
  }
  if (jsonDepth(text) > MAXIMUM_DEPTH) {
    throw new SandboxError('INPUT_NOT_JSON', 'input', `the input nests deeper than ${MAXIMUM_DEPTH} levels`)
  }
  return text
}

function refuseNonJson(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new SandboxError('INPUT_NOT_JSON', 'input', 'the input holds NaN or an infinity; use null instead')
  }
  return value
}

const MAY_OVERFLOW = /[0-9][eE]\+?[0-9]{3}|[0-9]{308}/

function demandFinite(_key: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new TypeError('a number is too large')
  return value
}

/**
 * Value of an output's JSON text. The text is hostile: it comes from the code, or from a child that the code broke.
 *
 * @param text what the engine gave
 * @returns the value, or undefined when the text is not JSON or nests too deep
 */
export function decodeOutput(text: string): { readonly value: JsonValue } | undefined {
  if (jsonDepth(text) > MAXIMUM_DEPTH) return undefined
  try {
    // JSON has no infinities, but a number may be written that becomes one (1e999).
    const value: JsonValue = MAY_OVERFLOW.test(text) ? JSON.parse(text, demandFinite) : JSON.parse(text)
    return { value }
  } catch {
    return undefined
  }
}
