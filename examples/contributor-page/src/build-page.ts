import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The page's files by their paths. */
export type PageFiles = ReadonlyMap<string, { readonly type: string; readonly body: Uint8Array }>

/** Bundles the page into one script; what is not used of the packages is left out. */
export async function buildPage(): Promise<PageFiles> {
  const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [beside('./page.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  })
  const [script] = outputFiles
  if (script === undefined) throw new Error('esbuild made nothing')
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: readFileSync(beside('./index.html')) }],
    ['/page.css', { type: 'text/css; charset=utf-8', body: readFileSync(beside('./page.css')) }],
    ['/page.js', { type: 'text/javascript; charset=utf-8', body: script.contents }],
  ])
}
