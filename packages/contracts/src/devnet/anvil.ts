import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { ContractsError } from '../errors.js'

/**
 * Finds the anvil program: the npm platform package, else PATH.
 *
 * @throws {ContractsError} `ANVIL_NOT_FOUND`, saying what to install.
 */
export function findAnvil(path: string | undefined): string {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const platform = process.platform === 'win32' ? 'win32' : process.platform
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const packaged = `@foundry-rs/anvil-${platform}-${architecture}`
  try {
    return createRequire(import.meta.url).resolve(`${packaged}/bin/anvil${suffix}`)
  } catch {
    // Not installed: look on PATH.
  }
  for (const folder of (path ?? '').split(delimiter)) {
    if (folder === '') continue
    const candidate = join(folder, `anvil${suffix}`)
    try {
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch {
      // Not here.
    }
  }
  throw new ContractsError(
    'ANVIL_NOT_FOUND',
    'startDevnet',
    `no anvil: install the npm package ${packaged}, or Foundry so that \`anvil\` is on PATH`,
  )
}
