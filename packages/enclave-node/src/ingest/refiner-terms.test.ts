import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import { refineBatch } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { expect, test } from 'vitest'
import { openKeyRing } from '../key/key-ring.js'
import { refinerTerms } from './refiner-terms.js'

const source = `import { defineRefiner } from '@sealpool/refine/define'
export default defineRefiner({
  id: 'mails', version: '1.0.0', source: 'json',
  tables: { mails: { description: 'Mails.', columns: { sender: { type: 'text', pii: 'hash', description: 'Who wrote.' } } } },
  map: (record) => ({ mails: [{ sender: record.sender }] }),
})`

test('a column of hashes is hashed under the pool’s own key, the same in every contribution', async () => {
  // Inside of the repository, so that the refiner finds its package.
  mkdirSync(fileURLToPath(new URL('../../../../.tmp/', import.meta.url)), { recursive: true })
  const folder = mkdtempSync(
    join(fileURLToPath(new URL('../../../../.tmp/', import.meta.url)), 'refiner-terms-'),
  )
  const runtime = await createQuickJsRuntime()
  try {
    writeFileSync(join(folder, 'mails.ts'), source)
    const refiner = await bundleRefiner({ entry: join(folder, 'mails.ts') })
    const limits = { memoryBytes: 2 ** 26, timeMs: 20_000, outputBytes: 65_536 }
    const keys = openKeyRing(new Uint8Array(32).fill(7), sha256Digest(new Uint8Array()))
    const bytes = new TextEncoder().encode('{"sender":"anna@example.org"}')
    const sendersOf = async (pool: 'aa' | 'bb') => {
      const terms = refinerTerms(
        { runtime, keys, limits: { refiner: limits, proof: limits } },
        {
          refiner,
          address: `0x${pool.repeat(20)}`,
          chainId: 1,
          policyDigest: sha256Digest(new Uint8Array([1])),
        },
      )
      const contributions = ['1', '2'].map((id, contributor) => ({
        id,
        contributor,
        mediaType: 'application/json',
        bytes,
      }))
      const { refused, tables } = await refineBatch({ ...terms, contributions })
      expect(refused).toEqual([])
      return (tables['mails'] ?? []).map(({ sender }) => sender)
    }
    const [first, second] = await sendersOf('aa')
    expect(first).toBe(second)
    expect(first).not.toMatch(/anna|example/)
    expect((await sendersOf('bb'))[0]).not.toBe(first)
  } finally {
    await runtime.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
