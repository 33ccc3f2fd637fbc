import { attachedLength, MOST_ATTACHMENTS } from '../attachments.js'
import type { TextResult } from '../engine.js'
import { failure } from '../failure.js'
import { decodeOutput } from '../json-boundary.js'
import type { Limits } from '../limits.js'
import type { RunResult } from '../runtime.js'

/**
 * Takes a child's answer for what it is worth. The child's own checks are repeated: one that was broken into says what
 * it likes.
 *
 * @param answer - as the child gave it
 * @param limits - of the job
 * @returns the result
 */
export function acceptAnswer(answer: TextResult, limits: Pick<Limits, 'outputBytes'>): RunResult {
  if (!answer.ok) return answer
  const { attachments = [] } = answer
  if (
    answer.output.length + attachedLength(attachments) > limits.outputBytes ||
    attachments.length > MOST_ATTACHMENTS
  )
    return failure('OUTPUT_TOO_LARGE', 'output')
  const output = decodeOutput(answer.output)
  if (output === undefined) return failure('OUTPUT_NOT_JSON', 'output')
  return {
    ok: true,
    output: output.value,
    logs: answer.logs,
    ...(attachments.length === 0 ? {} : { attachments }),
  }
}
