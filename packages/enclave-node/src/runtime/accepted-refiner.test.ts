import { sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { acceptedRefiner } from './accepted-refiner.js'

const pool = addressOfDigit('a')
const code = 'globalThis.sealpool = {}'
const digest = sha256Digest(new TextEncoder().encode(code))
const columns = { sector: { type: 'text', description: 's' } }
const schema = {
  id: 'x',
  version: '1.0.0',
  source: 'json',
  tables: { workers: { description: 'Workers.', columns } },
  notes: [],
}

describe('a refiner of the settings', () => {
  it('is taken when code, policy and chain say the same', () => {
    const { schema: read, ...rest } = acceptedRefiner(pool, { code, digest, schema }, [digest], 'pools')
    expect(rest).toEqual({ code, digest })
    expect(read.tables).toHaveProperty('workers')
  })

  it.each([
    ['its file names another digest', { code, digest: digestOfDigit('1'), schema }, [digest]],
    ['the policy names another', { code, digest, schema }, [digestOfDigit('1'), digest]],
    ['the chain names another', { code, digest, schema }, [digest, digestOfDigit('1')]],
    ['its code is another', { code: `${code} `, digest, schema }, [digest]],
  ])('is refused when %s, with the list that it stands in', (_, given, accepted) => {
    expect(() => acceptedRefiner(pool, given, accepted, 'validates.pools')).toThrow(
      expect.objectContaining({ code: 'CONFIG_POOL_MISMATCH', place: `validates.pools ${pool} refiner` }),
    )
  })

  it('is refused when it asks for embeddings', () => {
    const embedding = { from: 'sector', model: digestOfDigit('0'), dimensions: 8 }
    const vector = { type: 'vector', description: 'v', embedding }
    const tables = { workers: { description: 'Workers.', columns: { ...columns, vector } } }
    const given = { code, digest, schema: { ...schema, tables } }
    expect(() => acceptedRefiner(pool, given, [digest], 'pools')).toThrow(
      expect.objectContaining({ code: 'CONFIG_POOL_MISMATCH', place: `pools ${pool} refiner` }),
    )
  })
})
