import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Ends a script with a sentence instead of a stack trace when nothing is installed. */
export function requireDependencies(root, script) {
  if (existsSync(join(root, 'node_modules/typescript7'))) return
  console.error(`${script}: dependencies are not installed; run \`npm ci\` first`)
  process.exit(1)
}
