import { fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Tells whether a path is a file that the command itself writes its answer to. */
export type IsOwnOutput = (path: string) => Promise<boolean>

/**
 * The files that descriptors of this process lead to, where they lead to files: `sealpool-poc run exports > exports/answer.json` must neither
 * judge its own answer nor, by `--watch`, take writing it for a change.
 *
 * @param descriptors those that are written to
 * @returns whether a path is one of them; a path that is not there is none
 */
export function ownOutputOf(descriptors: readonly number[]): IsOwnOutput {
  const files = descriptors.flatMap((descriptor) => {
    const { dev, ino, isFile } = statOf(descriptor)
    return isFile ? [`${dev} ${ino}`] : []
  })
  return async (path) => {
    if (files.length === 0) return false
    try {
      const { dev, ino } = await stat(path, { bigint: true })
      return files.includes(`${dev} ${ino}`)
    } catch {
      // Whoever reads it next says what is wrong with it.
      return false
    }
  }
}

function statOf(descriptor: number): {
  readonly dev: bigint
  readonly ino: bigint
  readonly isFile: boolean
} {
  try {
    const found = fstatSync(descriptor, { bigint: true })
    return { dev: found.dev, ino: found.ino, isFile: found.isFile() }
  } catch {
    // Closed (`>&-`): it leads nowhere.
    return { dev: 0n, ino: 0n, isFile: false }
  }
}
