// Where forge is: the npm platform package, or PATH.
import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

const require = createRequire(import.meta.url)

/** Path of forge; ends the process with advice when there is none. */
export function findForge() {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const packaged = `@foundry-rs/forge-${process.platform}-${architecture}`
  try {
    return require.resolve(`${packaged}/bin/forge`)
  } catch {
    // Not installed: look on PATH.
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, 'forge'), constants.X_OK)
      return join(folder, 'forge')
    } catch {
      // Not here.
    }
  }
  process.stderr.write(
    `no forge: install the npm package ${packaged}, or Foundry (https://getfoundry.sh) so that forge is on PATH\n`,
  )
  process.exit(1)
}
