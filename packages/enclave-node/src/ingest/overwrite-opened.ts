import type { ItemSource } from '@sealpool/poc'
import type { OpenedContribution } from './open-contribution.js'

/**
 * Overwrites the bytes of an opened contribution, when nothing reads them any more. What was made of them on the way (texts of the
 * language, a sandbox's copy) is not reached by it, and goes when it is collected or its process ends.
 */
export function overwriteOpened(opened: OpenedContribution): void {
  if (opened.kind === 'opened') opened.bytes.fill(0)
}

/** The same for what a contribution is compared by, where that is its bytes as they were opened. */
export function overwriteCompared(content: ItemSource | undefined): void {
  if (content !== undefined && 'bytes' in content) content.bytes.fill(0)
}
