import { parseJobManifest } from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import type { SqlEngine } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { expect, it } from 'vitest'
import type { ServedPool } from '../ingest/served-pool.js'
import { programManifest, programPool } from '../testing/program-fixture.js'
import { noiseStream } from './job-noise.js'
import { planJob } from './plan-job.js'
import { readTables } from './run-on-engine.js'

const [workers] = programPool.policy.tables
const pool: ServedPool = {
  ...programPool,
  policy: parsePoolPolicy({
    ...programPool.policy,
    tables: [
      {
        ...workers,
        rowsPerContributor: 2,
        columns: [
          ...(workers?.columns ?? []),
          { name: 'age', type: 'integer', min: 0, max: 150, nullable: true, use: ['measure'] },
          { name: 'member', type: 'boolean', nullable: true, use: ['filter'] },
          { name: 'born', type: 'date', nullable: true, use: ['filter'] },
          { name: 'seen', type: 'timestamp', nullable: true, use: ['filter'] },
        ],
      },
    ],
  } as unknown as JsonValue),
}

it('gives a program what the engine holds of each column, in the form that programs are told of', async () => {
  const columns = ['wage', 'sector', 'age', 'member', 'born', 'seen']
  const asked = programManifest({ tables: [{ table: 'workers', columns, rows: 2 }] })
  const planned = await planJob(parseJobManifest(asked), [pool])
  const inputs: JsonValue[] = []
  const statements: string[] = []
  const row = { wage: '12.50', sector: 'a', age: 41, member: true }
  const nothing = { wage: '1.00', sector: 'b', age: null, member: null, born: null, seen: null }
  const engine = createDuckDbEngine({ pseudonymKey: new Uint8Array(32).fill(5), memoryLimit: '200MB' })
  try {
    for (const { name, columns: typed } of readTables(planned)) {
      await engine.load({
        name,
        columns: typed,
        rows: [
          { contributor: 1, ...row, born: '1969-12-31', seen: '2024-02-29T23:59:59.5Z' },
          { contributor: 2, ...nothing },
        ],
      })
    }
    const noise = noiseStream(new Uint8Array(32))
    await expect(planned.run(engine, noise)).rejects.toThrow('needs a runner')
    const asking: SqlEngine = {
      ...engine,
      query(sql, ...more) {
        statements.push(sql)
        return engine.query(sql, ...more)
      },
    }
    const answer = await planned.run(asking, noise, {
      parallel: 1,
      begin: async () => undefined,
      run: async (input) => {
        inputs.push(input)
        return { wage: 1 }
      },
      outcomes: () => `sha256:${'0'.repeat(64)}`,
    })
    // Under this noise, which is always the same, two answers count as enough.
    expect(answer).toMatchObject({ outputs: [{ name: 'wage', value: expect.any(Number) }] })
  } finally {
    await engine.close()
  }
  // Rows that no run is given are not read at all.
  expect(statements).toEqual([expect.stringMatching(/ WHERE t0\.row_rank <= 2$/)])
  const given = (values: object) => ({ argument: null, contributors: [{ tables: { workers: [values] } }] })
  expect(inputs).toHaveLength(2)
  expect(inputs).toContainEqual(
    given({ ...row, wage: 12.5, born: '1969-12-31', seen: '2024-02-29T23:59:59.500000Z' }),
  )
  expect(inputs).toContainEqual(given({ ...nothing, wage: 1 }))
})
