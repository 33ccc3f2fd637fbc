import { digestOf, sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { memoryBlobStore } from '../store/memory-store.js'
import { maximumProgramBytes, programParameters, type StoredProgram, storeProgram } from './program.js'

const bytes = new TextEncoder().encode('globalThis.sealpool = { main: () => ({ value: 1 }) }')
const code = sha256Digest(bytes)
const policy = {
  tables: [
    {
      name: 'workers',
      rowsPerContributor: 3,
      columns: [
        { name: 'wage', use: ['measure'] },
        { name: 'name', use: [] },
        { name: 'sector', use: ['group', 'filter'] },
      ],
    },
    { name: 'others', rowsPerContributor: 1, columns: [{ name: 'x', use: ['measure'] }] },
  ],
}

describe('storeProgram', () => {
  it('puts the bytes where their digest names them, and names bytes, runtime and entry together', async () => {
    const blobStore = memoryBlobStore()
    const stored = await storeProgram({ blobStore, bytes, runtime: 'quickjs' })
    expect(await blobStore.get(stored.code)).toEqual(bytes)
    const program = { format: 'sealpool/program', version: 1, runtime: 'quickjs', entry: 'main', code }
    expect(stored).toEqual({ runtime: 'quickjs', entry: 'main', code, program: digestOf(program) })
    const others = await Promise.all([
      storeProgram({ blobStore, bytes, runtime: 'pyodide' }),
      storeProgram({ blobStore, bytes, runtime: 'quickjs', entry: 'other' }),
    ])
    expect(new Set([stored, ...others].map(({ program: one }) => one)).size).toBe(3)
  })

  it.each<[string, object]>([
    ['bytes', { bytes: new Uint8Array() }],
    ['bytes', { bytes: new Uint8Array(maximumProgramBytes + 1) }],
    ['runtime', { runtime: 'lisp' }],
    ['entry', { entry: 'not a name' }],
    ['entry', { entry: '' }],
  ])('refuses wrong %s before anything is stored', async (place, change) => {
    const blobStore = {
      put: async () => {
        throw new Error('nothing may be stored')
      },
    }
    await expect(storeProgram({ blobStore, bytes, runtime: 'quickjs', ...change })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      place,
    })
  })
})

describe('programParameters', () => {
  const stored: StoredProgram = { runtime: 'quickjs', entry: 'main', code, program: code }

  it('begins with what the policy lets anybody use of the pool’s first table', () => {
    expect(programParameters(stored, policy)).toMatchObject({
      runtime: 'quickjs',
      code,
      entry: 'main',
      tables: [{ table: 'workers', columns: ['wage', 'sector'], rows: 3 }],
      limits: { steps: 50_000_000 },
    })
  })

  it('passes over tables that no program may read', () => {
    const [workers, others] = policy.tables
    for (const closed of [
      { ...workers, rows: [] },
      { ...workers, columns: [{ name: 'name', use: [] }] },
    ]) {
      expect(programParameters(stored, { tables: [closed, others ?? {}] })).toMatchObject({
        tables: [{ table: 'others', columns: ['x'], rows: 1 }],
      })
    }
  })

  it('bounds the steps of runtimes that count them, and of no other', () => {
    const stepsOf = (runtime: StoredProgram['runtime']) => {
      const { limits } = programParameters({ ...stored, runtime }, policy)
      return (limits as { steps?: number }).steps
    }
    expect(stepsOf('webassembly')).toBe(500_000_000)
    expect([stepsOf('native'), stepsOf('pyodide')]).toEqual([undefined, undefined])
  })

  it.each([
    {},
    { tables: [] },
    { tables: 'x' },
    { tables: [{ name: 'x', columns: [] }] },
    { tables: [{ name: 'x', columns: [{ name: 'y' }] }] },
  ])('refuses a policy without a table that programs may read: %j', (wrong) => {
    expect(() => programParameters(stored, wrong)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', place: 'policy' }),
    )
  })
})
