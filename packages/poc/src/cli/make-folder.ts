import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and those that it lies in, each by a call of its own: Node's recursive one never returns where the system says that
 * a folder is not there and does not let it be made either, below `/proc` for example.
 *
 * @param folder where; one that is there is left as it is
 * @throws the system's error when one of them cannot be made, or something else stands in its place
 */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = []
  for (let at = resolve(folder); !(await isThere(at)); at = dirname(at)) missing.unshift(at)
  for (const one of missing) {
    await mkdir(one).catch((error: NodeJS.ErrnoException) => {
      // Somebody else may have made it meanwhile.
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Whether anything stands there; the root always does. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path) return false
    throw error
  }
}
