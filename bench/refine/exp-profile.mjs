import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { runFileJob } from '@sealpool/refine/file-job'
import { withModule } from '../builder/with-module.mjs'
import { refiners, writeExport } from './payroll-exports.mjs'
const count = 4_000_000
const columns = `{'wage': 'DECIMAL(18,2)', 'union': 'INTEGER', 'occupation': 'VARCHAR', 'hours': 'BIGINT', 'experience': 'BIGINT', 'since': 'DATE'}`
const folder = mkdtempSync(join(tmpdir(), 'sealpool-exp-'))
const format = process.argv[2] ?? 'csv'
const workers = Number(process.argv[3] ?? 2)
const path = `/tmp/exp-export.${format}`
if (!existsSync(path)) writeExport(path, format, { rows: count })
const bundled = await withModule(refiners.data, (entry) => bundleRefiner({ entry }))
const key = crypto.getRandomValues(new Uint8Array(32))
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
const reader = format === 'csv' ? `read_csv('${path}', columns = ${columns}, header = true)` : `read_json('${path}', format = 'newline_delimited', columns = ${columns})`
for (let turn = 0; turn < Number(process.env.TURNS ?? 4); turn += 1) {
  const cpu0 = process.cpuUsage(); const t0 = performance.now()
  const output = join(folder, 'out'); rmSync(output, { recursive: true, force: true })
  await runFileJob({ refiner: bundled, inputs: [{ id: 'e', path, contributor: 1 }], output, key, withoutDigest: true, workers })
  const t1 = performance.now(); const cpu1 = process.cpuUsage(cpu0)
  const cpu2 = process.cpuUsage()
  await connection.run(`COPY (SELECT 1::BIGINT contributor, wage, "union" = 1 AS member, occupation, hours, experience, since FROM ${reader}) TO '${join(folder, 'd.parquet')}' (FORMAT parquet)`)
  const t2 = performance.now(); const cpu3 = process.cpuUsage(cpu2)
  console.log(`ours wall ${(t1-t0).toFixed(0)} cpu ${((cpu1.user+cpu1.system)/1e3).toFixed(0)} (sys ${(cpu1.system/1e3).toFixed(0)}); duck wall ${(t2-t1).toFixed(0)} cpu ${((cpu3.user+cpu3.system)/1e3).toFixed(0)} ratio ${((t2-t1)/(t1-t0)).toFixed(3)} cpu ratio ${((cpu3.user+cpu3.system)/(cpu1.user+cpu1.system)).toFixed(3)}`)
}
connection.closeSync(); instance.closeSync(); rmSync(folder, { recursive: true })
