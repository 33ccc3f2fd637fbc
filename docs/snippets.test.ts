import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'

/*
 * Every TypeScript fence of every page is type-checked and run against the built packages, so that no page shows code
 * that does not work. A fence marked `ts no-run` needs something that a page cannot bring (a chain, a node): it is
 * type-checked only. A fence marked `ts continued` goes on where the running fence before it on the page ended: a guide is
 * one program told in steps. `./practice-pool/` is examples/practice-pool/src, as the guides tell the reader to copy it.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, '.tmp/snippets')

interface Snippet {
  readonly title: string
  readonly file: string
  readonly runs: boolean
}

function pages(): string[] {
  const found = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((name) => join(root, name))
  for (const name of readdirSync(join(root, 'packages')))
    found.push(join(root, 'packages', name, 'README.md'))
  for (const name of readdirSync(join(root, 'examples')))
    found.push(join(root, 'examples', name, 'README.md'))
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name !== 'api') walk(join(path, entry.name))
      else if (entry.name.endsWith('.md')) found.push(join(path, entry.name))
    }
  }
  walk(join(root, 'docs'))
  return found.filter((path) => existsSync(path))
}

function collect(): Snippet[] {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, 'examples/practice-pool/src'), join(folder, 'practice-pool'), { recursive: true })
  const snippets: Snippet[] = []
  for (const page of pages()) {
    const text = readFileSync(page, 'utf8')
    const place = relative(root, page)
    let program: { readonly file: string; text: string } | undefined
    for (const match of text.matchAll(/^```ts(?: (.*))?\n([\s\S]*?)^```$/gm)) {
      const line = text.slice(0, match.index).split('\n').length
      const [, mark, code = ''] = match
      if (mark === 'continued') {
        if (program === undefined) throw new Error(`${place}:${line} continues nothing`)
        program.text += code
      } else {
        if (mark !== undefined && mark !== 'no-run')
          throw new Error(`${place}:${line}: what is "ts ${mark}"?`)
        const file = join(folder, `${place.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${line}.ts`)
        snippets.push({ title: `${place}:${line}`, file, runs: mark === undefined })
        const begun = { file, text: code }
        if (mark === undefined) program = begun
        else writeFileSync(file, moduleOf(code))
      }
      if (program !== undefined) writeFileSync(program.file, moduleOf(program.text))
    }
  }
  return snippets
}

/** `export {}` makes a module of a fence that neither imports nor exports, so that it may await. */
function moduleOf(code: string): string {
  return `${code}\nexport {}\n`
}

const snippets = collect()

describe('the code that the pages show', () => {
  beforeAll(async () => {
    if (!existsSync(join(root, 'packages/crypto/dist/index.d.ts'))) {
      throw new Error('the packages are not built; run `npm run build` first')
    }
    // All at once: a loader that translates takes a quarter of a second of each program's start.
    await build({
      entryPoints: [join(folder, '**/*.ts')],
      outbase: folder,
      outdir: folder,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      sourcemap: 'inline',
    })
  })

  test('is there', () => {
    expect(snippets.length).toBeGreaterThan(0)
  })

  test('type-checks against the built packages', () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.base.json',
        compilerOptions: { noEmit: true, noUnusedLocals: false },
        // The practice pool is copied with the pages' programs, and checked with them.
        include: ['**/*.ts'],
      }),
    )
    const result = spawnSync(
      process.execPath,
      [join(root, 'node_modules/typescript7/lib/tsc.js'), '-p', join(folder, 'tsconfig.json')],
      { encoding: 'utf8' },
    )
    expect(result.stdout).toBe('')
    expect(result.status).toBe(0)
  })

  test.each(snippets.filter(({ runs }) => runs).map(({ title, file }) => [title, file] as const))(
    '%s runs',
    (_, file) => {
      const program = file.replace(/\.ts$/, '.js')
      const result = spawnSync(process.execPath, ['--enable-source-maps', program], {
        encoding: 'utf8',
        // A guide starts a chain and a node; on a busy machine that alone takes a while.
        timeout: 200_000,
      })
      expect(result.stderr).toBe('')
      expect(result.status).toBe(0)
    },
    210_000,
  )
})
