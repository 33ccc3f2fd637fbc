import { platformRandom } from '@sealpool/crypto'
import { RefineError } from '@sealpool/refine'
import { describe, expect, it } from 'vitest'
import { jobKeys } from '../key/job-keys.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { maximumFiles } from './leash.js'
import { type LeashContext, leashOf, prepareParts } from './make-leash.js'
import type { TransferFiles } from './transfer-files.js'

const keys = jobKeys(platformRandom)
const key = keys.draw('1', 'hand-off')
const pool = { refiner: { schema: { tables: { workers: { columns: { wage: {}, sector: {} } } } } } }
type Asked = Parameters<typeof prepareParts>[1]
/** A job over one table of so many files. */
const jobOf = (count: number, table = 'workers') => {
  const paths = Array.from({ length: count }, (_, index) => `${index}.parquet`)
  const tables = [{ pool, table, name: 'pay.workers', paths, key: new Uint8Array(32) }]
  return { job: { id: '1' }, material: { tables } } as unknown as Asked
}
/** @param rekey what becomes of each file */
const folder = (rekey: TransferFiles['rekey']) => ({ rekey }) as TransferFiles
const done: TransferFiles['rekey'] = async () => ({ bytes: 1, digest: digestOfDigit('1') })

describe('the files of a hand-off', () => {
  it('are numbered from 1 on, with a column more than the table has, under one key of the transfer', async () => {
    const seen: unknown[] = []
    const seenKeys = new Set<string>()
    const files = folder(async (job, number, { path, columns, toKey }) => {
      seen.push([job, number, path, columns])
      seenKeys.add(Buffer.from(toKey).toString('hex'))
      return done(job, number, {} as never)
    })
    expect(await prepareParts(files, jobOf(2), key)).toHaveLength(2)
    expect(seen).toEqual([
      ['1', 1, '0.parquet', 3],
      ['1', 2, '1.parquet', 3],
    ])
    await prepareParts(files, jobOf(1), keys.draw('1', 'hand-off'))
    expect(seenKeys.size).toBe(2)
  })

  it('are as many as one call can name beside the leash, and end the job when they are more', async () => {
    expect(await prepareParts(folder(done), jobOf(maximumFiles - 1), key)).toHaveLength(maximumFiles - 1)
    await expect(prepareParts(folder(done), jobOf(maximumFiles), key)).rejects.toMatchObject({
      name: 'JobRefusal',
      code: 'EXECUTION_FAILED',
    })
  })

  it('end the job when one of them cannot be read, and nothing else does', async () => {
    const failing = (error: Error) =>
      prepareParts(
        folder(() => Promise.reject(error)),
        jobOf(1),
        key,
      )
    await expect(failing(new RefineError('PARQUET_READ_FAILED', 'x', 'why'))).rejects.toMatchObject({
      name: 'JobRefusal',
      code: 'EXECUTION_FAILED',
    })
    for (const other of [
      new RefineError('PARQUET_WRITE_FAILED', 'x', 'why'),
      Object.assign(new Error('x'), { code: 'PARQUET_READ_FAILED' }),
    ])
      await expect(failing(other)).rejects.toBe(other)
  })
})

it('a leash is made under no policy that this node does not have', async () => {
  const context = { policies: new Map() } as unknown as LeashContext
  const asked = { ...jobOf(1), manifest: { pools: [{ address: '0xa' }] } } as never
  await expect(leashOf(context, asked, { key, id: 'x', parts: [] })).rejects.toThrow(RangeError)
})
