import { describe, expect, it } from 'vitest'
import { type Shard, shardedEngine } from './sharded-engine.js'

describe('readiness of an engine on servers', () => {
  const shard = (changes: Partial<Shard> = {}): Shard => ({
    prepare: async () => {},
    load: async () => {},
    query: async () => [],
    ...changes,
  })
  const engineOf = (shards: readonly Shard[]) =>
    shardedEngine({
      dialect: 'postgresql',
      shards,
      tables: ['pay.workers'],
      pseudonymKey: null,
      check: async () => {},
    })

  it('is asked of every server, and locks nothing', async () => {
    const asked: string[] = []
    const query = async (sql: string) => {
      asked.push(sql)
      return []
    }
    const engine = engineOf([shard({ query }), shard({ query })])
    await engine.ready?.(['pay.workers'])
    expect(asked).toEqual(['SELECT 1', 'SELECT 1'])
    await expect(engine.ready?.(['pay.workers', 'a.b'])).rejects.toMatchObject({
      code: 'ENGINE_TABLE_MISSING',
      place: 'a.b',
    })
    await engine.load({ name: 'a.b', columns: [], rows: [] })
    await engine.ready?.(['a.b'])
    await engine.close()
    await expect(engine.ready?.(['a.b'])).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  })

  it('is not there when one server is gone', async () => {
    const gone = shard({ query: async () => Promise.reject(new Error('ECONNRESET')) })
    await expect(engineOf([shard(), gone]).ready?.(['pay.workers'])).rejects.toThrow('ECONNRESET')
    const never = shard({ prepare: async () => Promise.reject(new Error('ECONNREFUSED')) })
    await expect(engineOf([never]).ready?.(['pay.workers'])).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
  })
})
