// Compiles assembly/scan-rows.ts and writes its bytes into src/columnar/scan-module.ts. With `--check` it writes nothing and fails where the
// file does not hold what the source compiles to.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const folder = join(import.meta.dirname, '..')
const target = join(folder, 'src/columnar/scan-module.ts')
let binary
const { error, stderr } = await asc.main(
  [
    'scan-rows.ts',
    '-O3',
    '--runtime',
    'stub',
    '--noAssert',
    '--importMemory',
    '--enable',
    'simd',
    '--outFile',
    'scan-rows.wasm',
  ],
  {
    readFile: (name) => {
      try {
        return readFileSync(join(folder, 'assembly', name), 'utf8')
      } catch {
        return null
      }
    },
    writeFile: (name, contents) => {
      if (name === 'scan-rows.wasm') binary = contents
    },
    listFiles: () => [],
  },
)
if (error !== null || binary === undefined) throw new Error(stderr.toString())
const lines =
  Buffer.from(binary)
    .toString('base64')
    .match(/.{1,96}/g) ?? []
const text = `/** What assembly/scan-rows.ts compiles to, in base64: written by scripts/assemble.mjs. */
export const scanModule = [
${lines.map((line) => `  '${line}',\n`).join('')}].join('')
`
if (!process.argv.includes('--check')) writeFileSync(target, text)
else if (readFileSync(target, 'utf8') !== text) {
  console.error(
    'src/columnar/scan-module.ts is not what its source compiles to: node packages/refine/scripts/assemble.mjs',
  )
  process.exitCode = 1
}
