import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import payroll from '../testing/payroll-refiner.js'
import { bundleRefiner } from './bundle-refiner.js'

const entry = fileURLToPath(new URL('../testing/payroll-refiner.ts', import.meta.url))
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealpool-bundle-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const module = (name: string, text: string) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

describe('bundleRefiner', () => {
  test('gives code, its digest and the schema that the code describes', async () => {
    const refiner = await bundleRefiner({ entry })
    expect(refiner.schema).toEqual(payroll.describe())
    expect(refiner.digest).toBe(sha256Digest(new TextEncoder().encode(refiner.code)))
  })

  test('the same module gives the same bytes', async () => {
    expect((await bundleRefiner({ entry })).digest).toBe((await bundleRefiner({ entry })).digest)
  })

  test('the bundle is the builder’s code and a few lines, no host library', async () => {
    const { code } = await bundleRefiner({ entry })
    // The reading of zod objects and of records by column is in it, zod is not.
    expect(code.length).toBeLessThan(12_600)
    expect(code).not.toContain('ZodError')
  })

  test('columns out of zod are described inside the sandbox as outside of it', async () => {
    const zod = fileURLToPath(new URL('../testing/zod-refiner.ts', import.meta.url))
    expect((await bundleRefiner({ entry: zod })).schema.tables['days']?.columns).toEqual({
      day: { type: 'date', description: 'Day.' },
      steps: { type: 'integer', min: 0, nullable: true, description: 'Steps.' },
    })
  }, 30_000)

  test.each([
    ['that does not parse', 'export default {', 'BUNDLE_FAILED'],
    ['without a default export', 'export const a = 1', 'BUNDLE_FAILED'],
    ['that throws', 'throw new Error("CANARY")', 'BUNDLE_FAILED'],
    ['that imports a Node builtin', "import 'node:fs'\nexport default {}", 'BUNDLE_FAILED'],
    ['without describe', 'export default { refine: () => ({}) }', 'BUNDLE_FAILED'],
    ['with a schema that is not valid', 'export default { describe: () => ({ id: "x" }) }', 'SCHEMA_INVALID'],
  ])('a module %s is a typed error', async (name, text, code) => {
    await expect(
      bundleRefiner({ entry: module(`${name.replaceAll(' ', '-')}.ts`, text) }),
    ).rejects.toMatchObject({ name: 'RefineError', code })
  })

  test('a module that is not there is a typed error', async () => {
    await expect(bundleRefiner({ entry: join(directory, 'absent.ts') })).rejects.toMatchObject({
      code: 'BUNDLE_FAILED',
      place: 'entry',
    })
  })
})
