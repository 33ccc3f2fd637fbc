import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from './arguments.js'
import { makeFolder } from './make-folder.js'

const owner = '0x00112233445566778899AaBbCcDdEeFf00112233'

const PROOF = `import { definePoc, qualityRules, refuse } from '@sealpool/poc/define'

interface Day {
  readonly account: string
  readonly day: string
  readonly steps: string
}

/** What a contribution is worth: daily step counts as CSV with the columns account, day and steps. */
export default definePoc<readonly Day[]>({
  id: 'my-pool/steps',
  version: '1.0.0',
  input: (raw) => {
    const rows = raw as readonly Partial<Day>[]
    if (!Array.isArray(raw) || rows.length === 0) return refuse('EMPTY_EXPORT', 'rows')
    return rows.map(({ account, day, steps }) =>
      account === undefined || day === undefined || steps === undefined
        ? refuse('MISSING_COLUMN', 'header')
        : { account, day, steps },
    )
  },
  checks: {
    owner: (days, { facts }) => ({
      // Wallets write addresses in letters of both cases.
      passed: days.every(({ account }) => account.toLowerCase() === facts.owner),
      dimension: 'ownership',
      place: 'account',
      refusal: 'WRONG_OWNER',
    }),
    ...qualityRules((days: readonly Day[]) => days.map((day) => ({ ...day })), {
      complete: { rule: 'complete', columns: ['day', 'steps'] },
      plausible: { rule: 'range', column: 'steps', low: 0, high: 100_000, weight: 2 },
      enough: { rule: 'count', least: 7 },
      varied: { rule: 'variety', column: 'steps', least: 5 },
    }),
  },
  score: { ownership: 1, quality: 3, uniqueness: 1 },
  minimumScore: 0.5,
  attributes: (days) => ({ days: days.length }),
})
`

const days = (steps: readonly (number | string)[], account = owner): string =>
  ['account,day,steps', ...steps.map((count, index) => `${account},2026-01-0${index + 1},${count}`), ''].join(
    '\n',
  )

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`

function files(): Readonly<Record<string, string>> {
  return {
    'package.json': json({
      name: 'my-proof',
      private: true,
      type: 'module',
      scripts: {
        test: 'sealpool-poc test examples --poc proof.ts',
        dev: 'sealpool-poc test examples --poc proof.ts --watch',
      },
      devDependencies: { '@sealpool/poc': '^0.1.0', esbuild: '>=0.25.0', 'quickjs-emscripten': '^0.32.0' },
    }),
    'proof.ts': PROOF,
    'examples/good.csv': days([4000, 5100, 6200, 7300, 8400, 900, 10_000]),
    'examples/good.expected.json': json({ valid: true, least: 1, owner, attributes: { days: 7 } }),
    'examples/short.csv': days([4000, 5100]),
    'examples/short.expected.json': json({ valid: true, least: 0.6, most: 0.9, owner }),
    'examples/made-up.csv': days([999_999, 999_999]),
    'examples/made-up.expected.json': json({ valid: true, most: 0.65, owner }),
    'examples/stranger.csv': days([4000, 5100], '0xffffffffffffffffffffffffffffffffffffffff'),
    'examples/stranger.expected.json': json({ valid: false, refusal: 'WRONG_OWNER', owner }),
    'examples/copy.csv': days([4000, 5100, 6200, 7300, 8400, 900, 10_001]),
    'examples/copy.expected.json': json({ valid: true, most: 0.85, owner, novelty: 0.1 }),
    'examples/broken.csv': 'account,day\n',
    'examples/broken.expected.json': json({ valid: false, refusal: 'EMPTY_EXPORT', owner }),
    'README.md': `# My proof

\`proof.ts\` says what a contribution is worth; \`examples\` holds exports with what they should come to.

    npm test              # judges the examples in the sandbox
    npm run dev           # again after every change
    npx sealpool-poc run my-export.csv --poc proof.ts --owner 0x...

The digest that \`sealpool-poc run\` prints is what a pool approves: it covers the code and every parameter in it.
`,
  }
}

/**
 * Writes a new proof with labelled examples into a folder that is empty or not there.
 *
 * @param folder where
 * @returns the paths that were written
 * @throws UsageError when the folder holds something, or cannot be written to: then nothing is left of the project in it
 */
export async function createProject(folder: string): Promise<readonly string[]> {
  const unmade = (error: unknown): never => {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new UsageError(`${folder} cannot be made or written to${code}`)
  }
  await makeFolder(folder).catch(unmade)
  const present = (await readdir(folder).catch(unmade)).filter((name) => name !== 'examples')
  const examples = await readdir(join(folder, 'examples')).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : unmade(error),
  )
  // Before anything is made in it.
  if (present.length + examples.length > 0) throw new UsageError(`${folder} is not empty`)
  await makeFolder(join(folder, 'examples')).catch(unmade)
  const written = Object.entries(files()).map(([name, content]) => ({ path: join(folder, name), content }))
  try {
    for (const { path, content } of written) await writeFile(path, content)
  } catch (error) {
    // It was empty: with half of it in it the same command would be refused.
    for (const { path } of written) await rm(path, { force: true })
    return unmade(error)
  }
  return written.map(({ path }) => path)
}
