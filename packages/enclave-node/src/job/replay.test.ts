import { type JobManifest, parseJobManifest } from '@sealpool/compute'
import { digestOf, type JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { expect, it } from 'vitest'
import type { ServedPool } from '../ingest/served-pool.js'
import { manifest } from '../testing/job-fixture.js'
import { servedPoolFixture } from '../testing/served-pool-fixture.js'
import { noiseStream } from './job-noise.js'
import { planJob } from './plan-job.js'
import { readTables } from './run-on-engine.js'

const sectors = ['farm', 'mill', 'mine', 'shop']
const founded = servedPoolFixture()
const { policy } = founded
const policyJson = {
  ...policy,
  tables: [
    {
      name: 'workers',
      rowsPerContributor: 2,
      columns: [
        { name: 'wage', type: 'decimal', decimals: 2, min: 0, max: 100, nullable: true, use: ['measure'] },
        { name: 'age', type: 'integer', min: 16, max: 80, nullable: false, use: ['measure', 'filter'] },
        { name: 'sector', type: 'text', values: sectors, nullable: false, use: ['group', 'filter'] },
      ],
    },
  ],
  privacy: { ...policy.privacy, minimumContributors: 5, maximumGroups: 20 },
} as unknown as JsonValue
const pool: ServedPool = {
  ...founded,
  policy: parsePoolPolicy(policyJson),
  policyDigest: digestOf(policyJson),
}

const rows = Array.from({ length: 400 }, (_, n) => ({
  contributor: 1 + (n % 250),
  wage: n % 17 === 0 ? null : `${(n * 37) % 100}.${String(n % 100).padStart(2, '0')}`,
  age: 16 + ((n * 7) % 65),
  sector: sectors[(n * n + n) % sectors.length] ?? '',
}))

const samples = [
  'SELECT count(*) AS n FROM pay.workers',
  'SELECT count(DISTINCT contributor) AS people FROM pay.workers',
  'SELECT sum(wage) FROM pay.workers',
  'SELECT avg(wage) FROM pay.workers',
  'SELECT stddev(wage) FROM pay.workers',
  'SELECT median(wage) FROM pay.workers',
  'SELECT quantile_cont(wage, 0.9) FROM pay.workers',
  'SELECT corr(wage, age) FROM pay.workers',
  'SELECT regr_slope(wage, age) FROM pay.workers',
  'SELECT sector, count(*) AS n FROM pay.workers GROUP BY sector',
  'SELECT sector, avg(wage) AS wage, stddev(wage) AS spread, count(*) AS n FROM pay.workers GROUP BY sector',
  'SELECT sector, sum(age) AS years FROM pay.workers GROUP BY sector ORDER BY years DESC LIMIT 2',
  'SELECT sector, count(*) AS n FROM pay.workers GROUP BY sector HAVING count(*) > 30',
  'SELECT count(*) AS n FROM pay.workers WHERE age BETWEEN 30 AND 50',
  `SELECT avg(wage) FROM pay.workers WHERE sector IN ('mill', 'mine')`,
  'SELECT count(*) FILTER (WHERE age > 40) AS old FROM pay.workers',
  `SELECT CASE WHEN age < 30 THEN 'young' ELSE 'old' END AS band, count(*), avg(wage) FROM pay.workers GROUP BY band`,
  'SELECT sector, sum(wage) / count(*) AS mean FROM pay.workers GROUP BY sector ORDER BY mean',
  'SELECT avg(age) AS age, sum(wage * 2) AS twice FROM pay.workers',
  'WITH by_sector AS (SELECT sector, count(*) AS n FROM pay.workers GROUP BY sector) SELECT sector, n * 2 AS twice FROM by_sector',
]

/** What a node comes to that plans the jobs itself and has the rows in some order in an engine of its own; all on one, for the sake of time. */
async function runAll(asked: readonly JobManifest[], given: readonly (typeof rows)[number][], seed: number) {
  const engine = createDuckDbEngine({ pseudonymKey: new Uint8Array(32).fill(5), memoryLimit: '200MB' })
  try {
    const planned = await Promise.all(asked.map((job) => planJob(job, [pool])))
    const [first] = planned
    if (first === undefined) throw new Error('no job')
    for (const { name, columns } of readTables(first)) await engine.load({ name, columns, rows: given })
    const answers: { plan: string; answer: string }[] = []
    for (const one of planned) {
      const answer = await one.run(engine, noiseStream(new Uint8Array(32).fill(seed)))
      answers.push({ plan: one.planDigest, answer: digestOf(answer) })
    }
    return answers
  } finally {
    await engine.close()
  }
}

it('twenty sample jobs come to the same digests when they are planned and run again elsewhere, whatever order their rows lie in', async () => {
  const jobs = samples.map((sql) => parseJobManifest(manifest({ query: { sql } })))
  const moved = rows.map((_, n) => rows[(n * 123 + 7) % rows.length] as (typeof rows)[number])
  expect(new Set(moved).size).toBe(rows.length)
  const first = await runAll(jobs, rows, 1)
  expect(new Set(first.map(({ plan }) => plan)).size).toBe(samples.length)
  expect(await runAll(jobs, moved, 1)).toEqual(first)
  // The digests are of something: with another seed, or one row less, they are others.
  const others = [await runAll(jobs.slice(0, 5), rows, 2), await runAll(jobs.slice(0, 5), rows.slice(1), 1)]
  for (const other of others) {
    expect(other.map(({ plan }) => plan)).toEqual(first.slice(0, 5).map(({ plan }) => plan))
    expect(other.some(({ answer }, at) => answer !== first[at]?.answer)).toBe(true)
  }
})
