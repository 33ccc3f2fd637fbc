/**
 * Bundling builder code to the one classic script that a `JobRuntime` runs. Needs `esbuild` (optional peer).
 *
 * @module
 */
import { builtinModules } from 'node:module'
import { dirname, resolve } from 'node:path'
import type { BuildFailure, Plugin } from 'esbuild'
import { SandboxError } from '../errors.js'

/** What to bundle. */
export interface BundleOptions {
  /** Path of the entry module, absolute or relative to the working directory. */
  readonly entry: string
}

const forbidden = 'sealpool-forbidden'
const builtins = new Set(builtinModules)

/**
 * Bundles a module and all it imports into a script that sets `globalThis.sealpool` to the functions of the module's
 * default export. The same sources give the same bytes from any working directory, so the script's digest can be
 * approved and rebuilt by anyone who has the sources and the same esbuild. Names are kept and lines are short: an auditor reads
 * what runs, and the line of an error means something.
 *
 * @param options the entry
 * @returns the script
 * @throws `SandboxError` `BUNDLE_FORBIDDEN_IMPORT` when the code imports a Node builtin, `BUNDLE_FAILED` when it does not bundle
 * @example
 * ```ts no-run
 * import { bundleModule } from '@sealpool/sandbox/bundle'
 * // double.ts: export default { double: (x: number) => 2 * x }
 * const { code } = await bundleModule({ entry: './double.ts' })
 * ```
 */
export async function bundleModule(options: BundleOptions): Promise<{ readonly code: string }> {
  const entry = resolve(options.entry)
  const { build } = await import('esbuild').catch((cause: unknown) => {
    throw new SandboxError(
      'BUNDLE_FAILED',
      'esbuild',
      'esbuild is not installed; add it to your dev dependencies',
      {
        cause,
      },
    )
  })
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: footer(entry),
        resolveDir: dirname(entry),
        sourcefile: 'sealpool-entry.js',
        loader: 'js',
      },
      absWorkingDir: dirname(entry),
      bundle: true,
      write: false,
      format: 'iife',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      target: 'es2022',
      charset: 'ascii',
      legalComments: 'none',
      // Whitespace goes because esbuild's path comments, which differ from machine to machine, go with it.
      minifyWhitespace: true,
      minifySyntax: true,
      lineLimit: 100,
      // Sources' own tsconfig must not change the bytes.
      tsconfigRaw: {},
      logLevel: 'silent',
      plugins: [refuseBuiltins],
    })
    const [file] = outputFiles
    if (file === undefined) throw new SandboxError('BUNDLE_FAILED', options.entry, 'esbuild gave no output')
    return { code: file.text }
  } catch (error) {
    throw error instanceof SandboxError ? error : explain(error, options.entry)
  }
}

function footer(entry: string): string {
  return `import definition from ${JSON.stringify(entry)}
const functions = {}
for (const name of Object.keys(definition)) if (typeof definition[name] === 'function') functions[name] = definition[name]
globalThis.sealpool = functions
`
}

const refuseBuiltins: Plugin = {
  name: 'sealpool-refuse-builtins',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path }) => {
      const bare = path.replace(/^node:/, '')
      if (!path.startsWith('node:') && !builtins.has(bare)) return undefined
      return { errors: [{ text: `${path} is a Node builtin`, detail: forbidden }] }
    })
  },
}

function explain(error: unknown, entry: string): SandboxError {
  const [first] = (error as Partial<BuildFailure>).errors ?? []
  if (first === undefined) {
    return new SandboxError('BUNDLE_FAILED', entry, 'esbuild failed', { cause: error })
  }
  const place = first.location ? `${first.location.file}:${first.location.line}` : entry
  return first.detail === forbidden
    ? new SandboxError(
        'BUNDLE_FORBIDDEN_IMPORT',
        place,
        `${first.text}; sandboxed code has no files, network or clock, take what it needs from the input`,
      )
    : new SandboxError('BUNDLE_FAILED', place, first.text, { cause: error })
}
