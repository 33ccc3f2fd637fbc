import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PocError } from '../errors.js'
import { runPoc } from '../run/run-poc.js'
import { owner, pool, text } from '../testing/payroll-export.js'
import { bundlePoc } from './index.js'

const here = fileURLToPath(new URL('.', import.meta.url))
let folder = ''
beforeAll(() => {
  // Beside the sources, so that bare imports resolve.
  folder = mkdtempSync(join(here, 'bundle-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, source: string): string {
  writeFileSync(join(folder, name), source)
  return join(folder, name)
}

test('the bundle is small, describes itself, and its digest is over its bytes', async () => {
  const poc = await bundlePoc({ entry: join(here, '../testing/payroll-proof.ts') })
  expect(poc).toMatchObject({
    id: 'test/payroll',
    version: '1.0.0',
    issuers: [{ name: 'Payroll Bureau 1985' }],
  })
  expect(poc.digest).toBe(sha256Digest(text(poc.code)))
  expect(poc.code.length).toBeLessThan(11_000)
})

test('zod/mini schemas work as input inside the sandbox', async () => {
  const entry = write(
    'mini.ts',
    `import * as z from 'zod/mini'
import { definePoc } from '../../define/index.js'
export default definePoc({
  id: 'mini', version: '1',
  input: z.strictObject({ steps: z.array(z.int().check(z.gte(0))) }),
  checks: { enough: ({ steps }) => ({ passed: steps.length >= 2, place: 'steps' }) },
  score: { quality: 1 },
})`,
  )
  const poc = await bundlePoc({ entry })
  const runtime = await createQuickJsRuntime()
  const judge = (file: string) =>
    runPoc({
      poc,
      runtime,
      limits: { memoryBytes: 2 ** 25, timeMs: 2_000, outputBytes: 10_000 },
      contribution: { id: '1', pool, owner, mediaType: 'application/json', bytes: text(file) },
      facts: { uniqueness: { duplicate: false } },
    })
  expect(await judge('{"steps":[1,2]}')).toMatchObject({ valid: true, score: 1 })
  expect(await judge('{"steps":[1,"canary"]}')).toMatchObject({
    refusal: { code: 'MALFORMED_EXPORT', place: 'steps[1]' },
  })
  await runtime.close()
})

test('a module that does not bundle is told with its place, once', async () => {
  const error: unknown = await bundlePoc({ entry: write('once.ts', 'export default {') }).catch(
    (thrown) => thrown,
  )
  if (!(error instanceof PocError)) throw error
  expect(error.place).toMatch(/once\.ts:1$/)
  expect(error.message.split(error.place)).toHaveLength(2)
})

test.each([
  ['a Node builtin', "import 'node:fs'\nexport default {}", 'BUNDLE_FAILED'],
  ['a syntax error', 'export default {', 'BUNDLE_FAILED'],
  ['no definition', 'export default {}', 'CODE_INVALID'],
  [
    'a definition that contradicts itself',
    "import { definePoc } from '../../define/index.js'\nexport default definePoc({ id: 'x', version: '1', input: (x) => x, checks: {}, score: { quality: 1 } })",
    'CODE_INVALID',
  ],
])('a module with %s does not bundle', async (_name, source, code) => {
  await expect(bundlePoc({ entry: write('broken.ts', source) })).rejects.toMatchObject({
    name: 'PocError',
    code,
  })
})
