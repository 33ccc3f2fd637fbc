import { crossesUnchanged } from './code-text.js'
import { SandboxError } from './errors.js'

/** Most attachments of a job, and of an answer. */
export const MOST_ATTACHMENTS = 64

/**
 * Checks a job's attachments.
 *
 * @param attachments what the caller gave
 * @returns the same, none where there were none
 * @throws {@link SandboxError} `INPUT_NOT_JSON` when they are no list, there are too many, or one is no well-formed text
 */
export function checkAttachments(attachments: readonly string[] = []): readonly string[] {
  // A caller without types may give anything.
  if (!Array.isArray(attachments)) {
    throw new SandboxError('INPUT_NOT_JSON', 'attachments', 'attachments are a list of texts')
  }
  if (attachments.length > MOST_ATTACHMENTS) {
    throw new SandboxError(
      'INPUT_NOT_JSON',
      'attachments',
      `a job has at most ${MOST_ATTACHMENTS} attachments`,
    )
  }
  for (const [index, text] of attachments.entries()) {
    if (typeof text !== 'string' || !crossesUnchanged(text)) {
      throw new SandboxError(
        'INPUT_NOT_JSON',
        `attachments[${index}]`,
        'an attachment is text without U+0000 and lone surrogates; write it as JSON text, which escapes them',
      )
    }
  }
  return attachments
}

/**
 * Size of all attachments.
 *
 * @param attachments texts
 * @returns UTF-16 units
 */
export function attachedLength(attachments: readonly string[] = []): number {
  return attachments.reduce((sum, text) => sum + text.length, 0)
}
