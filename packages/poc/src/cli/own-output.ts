import { fstatSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'

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

/** Bytes of the end of what was said that tell it from other texts. */
const ENDING_BYTES = 2 ** 16

/** What {@link hearAnswer} gives. */
export interface HeardAnswer {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** Which files end with all that was said (of much: with its last 64 KiB), and those that did once. */
  readonly isEcho: IsOwnOutput
}

/**
 * Knows the files into which the command's answer comes by a detour: of `sealpool-poc run exports --watch | tee exports/answer.txt` no
 * descriptor leads there, but what was answered stands at the file's end. Taken for an export, it would change with each run, and be judged
 * for ever.
 *
 * @param io where the answer is written
 * @returns the same, heard
 */
export function hearAnswer(io: {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
}): HeardAnswer {
  // Standard output, standard error, and both together (`2>&1 |`).
  const empty = Buffer.alloc(0)
  let endings: readonly Buffer[] = [empty, empty, empty]
  const files = new Set<string>()
  const hear = (text: string, streams: readonly number[]): void => {
    const bytes = Buffer.from(text)
    endings = endings.map((ending, at) =>
      streams.includes(at) ? Buffer.concat([ending, bytes]).subarray(-ENDING_BYTES) : ending,
    )
  }
  return {
    write: (text) => {
      hear(text, [0, 2])
      io.write(text)
    },
    writeError: (text) => {
      hear(text, [1, 2])
      io.writeError(text)
    },
    isEcho: async (path) => {
      const most = Math.max(...endings.map(({ length }) => length))
      // Nothing was said yet.
      if (most === 0 && files.size === 0) return false
      const end = await endOf(path, most)
      if (end === undefined) return false
      const isEcho = endings.some(
        (ending) => ending.length > 0 && end.bytes.subarray(-ending.length).equals(ending),
      )
      if (isEcho) files.add(end.file)
      return isEcho || files.has(end.file)
    },
  }
}

/** A file's last bytes and which one it is; undefined when it cannot be read: whoever judges it says what is wrong with it. */
async function endOf(
  path: string,
  most: number,
): Promise<{ readonly file: string; readonly bytes: Buffer } | undefined> {
  // A pipe would be waited for.
  const isFile = (await stat(path).catch(() => undefined))?.isFile() === true
  const handle = isFile ? await open(path).catch(() => undefined) : undefined
  try {
    const { dev, ino, size } = (await handle?.stat({ bigint: true })) ?? { dev: 0n, ino: 0n, size: 0n }
    const length = Math.min(most, Number(size))
    const read = await handle?.read(Buffer.alloc(length), 0, length, Number(size) - length)
    return read === undefined
      ? undefined
      : { file: `${dev} ${ino}`, bytes: read.buffer.subarray(0, read.bytesRead) }
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
