import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Writes a builder's module to a file for as long as something is done with it. The file lies under this folder, so that its
 * imports of @sealpool packages are found.
 *
 * @param source TypeScript
 * @param use takes the file's path
 * @returns what `use` returns
 */
export async function withModule(source, use) {
  const parent = fileURLToPath(new URL('../.tmp/', import.meta.url))
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'builder-'))
  try {
    const entry = join(folder, 'module.ts')
    writeFileSync(entry, source)
    return await use(entry)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
