import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createQuickJsRuntime } from '../quickjs/index.js'
import { limits } from '../testing/job.js'
import { bundleModule } from './index.js'

let folder = ''
const files: Record<string, string> = {
  'double.ts': `import { twice } from './lib/twice.js'
export default { double: (x: number): number => twice(x), version: '1', late: (x: number) => [...twice.name].length * x }`,
  'lib/twice.ts':
    'export const unused = () => console.log("dropped")\nexport const twice = (x: number) => 2 * x',
  'error.ts':
    'class MissingRow extends Error {}\nexport default { go() {\n throw new MissingRow("canary") } }',
  'file.ts':
    "import { readFileSync } from 'node:fs'\nexport default { go: () => readFileSync('/etc/passwd', 'utf8') }",
  'bare.ts': "import * as crypto from 'crypto'\nexport default { go: () => crypto.randomUUID() }",
  'deep.ts': "import './lib/net.js'\nexport default { go: () => 1 }",
  'lib/net.ts': "\n\nimport net from 'net'\nexport default net",
  'missing.ts': "import { x } from './nowhere.js'\nexport default { x }",
  'broken.ts': 'export default {',
  'noexport.ts': 'export const go = () => 1',
  'legal.ts': '/*! Copyright */\n/** doc */ export default { go: () => 1 } // note',
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-bundle-'))
  mkdirSync(join(folder, 'lib'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'tsconfig.json'), '{"compilerOptions":{"target":"es5","jsx":"react"}}')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the functions of the default export become the entries', async () => {
  const { code } = await bundleModule({ entry: join(folder, 'double.ts') })
  const runtime = await createQuickJsRuntime()
  expect(await runtime.run({ code, entry: 'double', input: 21, limits })).toEqual({
    ok: true,
    output: 42,
    logs: [],
  })
  expect(await runtime.run({ code, entry: 'version', input: 21, limits })).toMatchObject({
    code: 'ENTRY_MISSING',
  })
  await runtime.close()
})

test('the bytes are the same from another working directory and through another path', async () => {
  const entry = join(folder, 'double.ts')
  const once = await bundleModule({ entry })
  const before = process.cwd()
  try {
    process.chdir(tmpdir())
    expect(await bundleModule({ entry: relative(process.cwd(), entry) })).toEqual(once)
  } finally {
    process.chdir(before)
  }
  symlinkSync(folder, `${folder}-link`)
  expect(await bundleModule({ entry: join(`${folder}-link`, 'double.ts') })).toEqual(once)
  rmSync(`${folder}-link`)
})

test('the bytes do not name the machine and leave out what is not used', async () => {
  const { code } = await bundleModule({ entry: join(folder, 'double.ts') })
  expect(code).not.toContain('tmp')
  expect(code).not.toContain('dropped')
  expect(code.length).toBeLessThan(500)
})

test('comments are left out and a tsconfig beside the source changes nothing', async () => {
  const { code } = await bundleModule({ entry: join(folder, 'legal.ts') })
  expect(code).not.toMatch(/Copyright|doc|note/)
  expect(code).toContain('=>')
})

test('an error class keeps its name in the bundle', async () => {
  const { code } = await bundleModule({ entry: join(folder, 'error.ts') })
  const runtime = await createQuickJsRuntime()
  const result = await runtime.run({ code, entry: 'go', input: 1, limits })
  expect(result).toMatchObject({ code: 'THREW', message: expect.stringContaining('MissingRow') })
  expect(JSON.stringify(result)).not.toContain('canary')
  await runtime.close()
})

test.each([
  ['file.ts', 'file.ts:1'],
  ['bare.ts', 'bare.ts:1'],
  ['deep.ts', 'lib/net.ts:3'],
])('%s imports a Node builtin and is refused at %s', async (name, place) => {
  await expect(bundleModule({ entry: join(folder, name) })).rejects.toMatchObject({
    code: 'BUNDLE_FORBIDDEN_IMPORT',
    place,
  })
})

test.each(['missing.ts', 'broken.ts', 'noexport.ts', 'absent.ts'])('%s is BUNDLE_FAILED', async (name) => {
  await expect(bundleModule({ entry: join(folder, name) })).rejects.toMatchObject({ code: 'BUNDLE_FAILED' })
})
