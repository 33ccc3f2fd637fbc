import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SandboxError } from '@sealpool/sandbox'
import { bundleModule } from '@sealpool/sandbox/bundle'
import { type Command, UsageError } from './arguments.js'
import { filesOf } from './files-of.js'
import type { IsOwnOutput } from './own-output.js'
import { exampleNames } from './test-folder.js'

/**
 * All that a verdict follows from, as one text: what the proof bundles to, and the files that are judged, by name and content. What else changes in
 * the folders (a log, the answer itself) changes nothing here, so that a watch does not run again for it.
 *
 * @param command what is run again and again
 * @param isOwnOutput which files are the command's own
 * @returns a text that is another one when a verdict may be; what cannot be read now is part of it
 */
export async function watchedState(
  command: Extract<Command, { readonly name: 'run' | 'test' }>,
  isOwnOutput: IsOwnOutput,
): Promise<string> {
  const files =
    command.name === 'run'
      ? await judgedFiles(command.file, isOwnOutput)
      : await exampleFiles(command.folder, isOwnOutput)
  const lines = [await codeOf(command.poc)]
  for (const [name, path] of files)
    lines.push(`${JSON.stringify(name)} ${path === undefined ? '' : await contentOf(path)}`)
  return lines.join('\n')
}

/** What the proof bundles to, or why it does not. */
async function codeOf(entry: string): Promise<string> {
  try {
    const { code } = await bundleModule({ entry })
    return createHash('sha256').update(code).digest('hex')
  } catch (error) {
    if (error instanceof SandboxError) return error.message
    throw error
  }
}

type Named = readonly [name: string, path: string | undefined]

async function judgedFiles(path: string, isOwnOutput: IsOwnOutput): Promise<readonly Named[]> {
  try {
    const { files, unreadable } = await filesOf(path, isOwnOutput)
    return [
      ...files.map((file): Named => [file, file]),
      ...unreadable.map(({ message }): Named => [message, undefined]),
    ]
  } catch (error) {
    if (error instanceof UsageError) return [[error.message, undefined]]
    throw error
  }
}

/** Examples with a label, and their labels, by content; others count by their names alone. */
async function exampleFiles(folder: string, isOwnOutput: IsOwnOutput): Promise<readonly Named[]> {
  const names = await readdir(folder).catch(() => [])
  const { labelled, others } = exampleNames(names)
  const files = labelled.map((name): Named => [name, join(folder, name)])
  for (const name of others) if (!(await isOwnOutput(join(folder, name)))) files.push([name, undefined])
  return files
}

async function contentOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch {
    // Judging it says what is wrong.
    return 'cannot be read'
  }
  return hash.digest('hex')
}
