import { RefineError } from '../errors.js'
import type { OpenFile } from './file-source.js'
import type { InputRecord } from './journal.js'
import type { JobInput } from './refine-input.js'

/**
 * Are all inputs that were done among those of this run? The rows of others would lie in the folder, and in nothing that the job tells.
 *
 * @param done - records by number of the input
 * @param inputs - how many inputs this run has
 * @throws RefineError with `JOB_INVALID`
 */
export function checkNoneMissing(done: ReadonlyMap<number, InputRecord>, inputs: number): void {
  for (const number of done.keys())
    if (number >= inputs)
      throw new RefineError(
        'JOB_INVALID',
        'inputs',
        'Inputs that were refined before are missing now; name them too, or begin the job anew in another folder',
      )
}

/**
 * Is an input still the one that was done?
 *
 * @param before - what was recorded of it
 * @param input - what is given now
 * @param file - its file, undefined when it cannot be opened
 * @throws RefineError with `JOB_INVALID`
 */
export function checkUnchanged(before: InputRecord, input: JobInput, file: OpenFile | undefined): void {
  const { id, contributor, bytes, modified } = before.input
  const same = id === input.id && contributor === input.contributor
  if (!same || bytes !== (file?.size ?? 0) || modified !== (file?.modified ?? 0)) {
    throw new RefineError(
      'JOB_INVALID',
      'inputs',
      'An input changed since it was refined; begin the job anew in another folder',
    )
  }
}
