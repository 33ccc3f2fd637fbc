import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig } from 'tsup'

interface Manifest {
  readonly exports: Record<string, string | { readonly '@sealpool/source': string }>
  readonly bin?: Record<string, string>
}

/**
 * The one build of every package: ESM, one output per subpath export and per command, shared code split out.
 * Entries are read from the package's own manifest, so that what is exported and what is built cannot differ.
 * Declarations come from `tsc -b` (see scripts/build.mjs), which checks the arrows between packages as well.
 */
export function preset(options: { readonly extraEntries?: readonly string[] } = {}) {
  const manifest = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as Manifest
  const entries = new Set<string>(options.extraEntries ?? [])
  for (const target of Object.values(manifest.exports)) {
    if (typeof target !== 'string') entries.add(target['@sealpool/source'].replace(/^\.\//, ''))
  }
  for (const target of Object.values(manifest.bin ?? {})) {
    entries.add(target.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts'))
  }
  return defineConfig({
    entry: Object.fromEntries(
      [...entries].map((source) => [source.replace(/^src\//, '').replace(/\.ts$/, ''), source]),
    ),
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    splitting: true,
    treeshake: false,
    sourcemap: true,
    clean: false,
    dts: false,
    silent: true,
    removeNodeProtocol: false,
    // A neutral build knows no built-in modules; the edges name theirs with the node: prefix.
    external: [/^node:/],
  })
}
