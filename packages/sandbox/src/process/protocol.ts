import type { TextResult } from '../engine.js'
import type { RunErrorCode } from '../errors.js'
import type { RunFailure } from '../failure.js'
import { failure } from '../failure.js'
import type { Message } from './frame.js'

/** Parent and child come from one build; a stale `dist` next to fresh sources shows here, not as a strange failure. */
export const PROTOCOL = 'sealpool-sandbox/2'

const codes: ReadonlySet<string> = new Set<RunErrorCode>([
  'TIMEOUT',
  'OUT_OF_MEMORY',
  'STACK_OVERFLOW',
  'OUT_OF_STEPS',
  'THREW',
  'OUTPUT_TOO_LARGE',
  'OUTPUT_NOT_JSON',
  'ENTRY_MISSING',
  'CODE_INVALID',
])
const LONGEST_TEXT = 200

/**
 * Reads a child's answer. The child may have been broken by the code it ran: everything is checked, and an answer
 * that is not one counts as a lost child.
 */
export function readAnswer(message: Message): TextResult {
  const { head, texts } = message
  const [output, ...attachments] = texts
  if (head['ok'] === true && output !== undefined && Array.isArray(head['logs'])) {
    const logs = (head['logs'] as unknown[]).filter((line) => typeof line === 'string')
    return { ok: true, output, logs: logs.slice(0, 100).map((line) => line.slice(0, 1000)), attachments }
  }
  if (head['ok'] === false && isFailure(head)) {
    return { ok: false, code: head.code, message: head.message, place: head.place }
  }
  return failure('RUNTIME_LOST', 'run')
}

function isFailure(head: object): head is RunFailure {
  const { code, message, place } = head as Record<string, unknown>
  return (
    typeof code === 'string' &&
    codes.has(code) &&
    typeof message === 'string' &&
    message.length <= LONGEST_TEXT &&
    typeof place === 'string' &&
    place.length <= LONGEST_TEXT
  )
}
