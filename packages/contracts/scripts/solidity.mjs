// What compile.mjs and the forge shim share: one compiler, one set of settings, one way to find imports.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const solc = require('solc')

export const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const openZeppelin = dirname(require.resolve('@openzeppelin/contracts/package.json'))

/** Also in foundry.toml: tests must exercise the very code that is committed. */
export const settings = {
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  evmVersion: 'cancun',
  // Bytecode must not depend on where the checkout is or on comments.
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}

/** The compiler's own version, as its command line prints it. */
export const compilerVersion = solc.version()

/** Every Solidity source of this package, by its path inside it. */
export function sources() {
  const found = {}
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.name.endsWith('.sol')) {
        found[relative(packageRoot, path)] = { content: readFileSync(path, 'utf8') }
      }
    }
  }
  walk(join(packageRoot, 'solidity'))
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Resolves an import of the compiler: OpenZeppelin from node_modules, everything else inside the package. */
export function readImport(path) {
  const prefix = '@openzeppelin/contracts/'
  const at = path.indexOf(prefix)
  const file = at >= 0 ? join(openZeppelin, path.slice(at + prefix.length)) : join(packageRoot, path)
  try {
    return { contents: readFileSync(file, 'utf8') }
  } catch {
    return { error: `import not found: ${path}` }
  }
}

/** Compiles standard JSON input. */
export function compile(input) {
  return JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }))
}
