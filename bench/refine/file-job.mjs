// CSV and JSON Lines to Parquet: file jobs against DuckDB's own readers in one run.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { runFileJob } from '@sealpool/refine/file-job'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { withModule } from '../builder/with-module.mjs'
import { compare } from '../measure/compare.mjs'
import { figure, printTable, ratio } from '../measure/table.mjs'
import { refiners, writeExport } from './payroll-exports.mjs'

// Large enough that starting threads and compiling their code is not what is measured.
const count = Number(process.env['BENCH_ROWS'] ?? 4_000_000)
const columns = `{'wage': 'DECIMAL(18,2)', 'union': 'INTEGER', 'occupation': 'VARCHAR', 'hours': 'BIGINT', 'experience': 'BIGINT', 'since': 'DATE'}`

/** @param {(line: string) => void} print */
export async function fileJobs(print) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const runtime = await createProcessRuntime({ isolation: 'best', children: 2 })
  const bundled = {}
  for (const [kind, text] of Object.entries(refiners)) {
    bundled[kind] = await withModule(text, (entry) => bundleRefiner({ entry }))
  }
  const key = crypto.getRandomValues(new Uint8Array(32))
  try {
    for (const format of ['csv', 'jsonl']) {
      const path = join(folder, `export.${format}`)
      writeExport(path, format, { rows: count })
      // The slow ones on fewer rows, enough that starting threads is little of it.
      const some = join(folder, `some.${format}`)
      writeExport(some, format, { rows: count / 4 })
      const job =
        (kind, options = {}) =>
        async () => {
          const output = join(folder, 'out')
          rmSync(output, { recursive: true, force: true })
          const inputs = [{ id: 'export', path: options.path ?? path, contributor: 1 }]
          const { path: _path, ...rest } = options
          const done = await runFileJob({
            refiner: bundled[kind],
            runtime,
            inputs,
            output,
            key,
            withoutDigest: true,
            ...rest,
          })
          if (done.refused.length > 0) throw new Error(`refused: ${JSON.stringify(done.refused)}`)
        }
      const reader =
        format === 'csv'
          ? `read_csv('${path}', columns = ${columns}, header = true)`
          : `read_json('${path}', format = 'newline_delimited', columns = ${columns})`
      const took = await compare(
        {
          duckdb: () =>
            connection.run(
              `COPY (SELECT 1::BIGINT contributor, wage, "union" = 1 AS member, occupation, hours, experience, since FROM ${reader}) TO '${join(folder, 'duckdb.parquet')}' (FORMAT parquet)`,
            ),
          data: job('data'),
          functions: job('functions'),
        },
        { turns: 3 },
      )
      const slow = await compare(
        {
          digest: job('data', { withoutDigest: false, path: some }),
          columns: job('columns'),
          code: job('code', { path: some }),
        },
        { turns: 3 },
      )
      const row = (label, rate) => [label, figure(rate), ratio(rate, count / took.duckdb)]
      printTable(print, {
        title: `${count.toLocaleString('en-US')} rows of ${format.toUpperCase()} to Parquet`,
        columns: ['', 'rows/s', 'rows/s / DuckDB'],
        rows: [
          row('DuckDB: reader and COPY to plain Parquet, all cores', count / took.duckdb),
          row('runFileJob: mapping as data, checked, encrypted, fsynced', count / took.data),
          row('the same with the content digest', count / 4 / slow.digest),
          row(
            'runFileJob: every column by a function in QuickJS, called per different value',
            count / took.functions,
          ),
          row('runFileJob: mapping of columns, steered by QuickJS (batch functions)', count / slow.columns),
          row('runFileJob: mapping as code in QuickJS, called per record', count / 4 / slow.code),
        ],
        notes: [
          'One run on one machine: a ratio, no more. The digest hashes every row; DuckDB computes none.',
        ],
      })
    }
  } finally {
    await runtime.close()
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true })
  }
}
