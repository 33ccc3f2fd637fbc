import { existsSync, mkdtempSync, rmSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { runFileJob } from '@sealpool/refine/file-job'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { withModule } from '../builder/with-module.mjs'
import { refiners, writeExport } from './payroll-exports.mjs'
const count = 1_000_000
const columns = `{'wage': 'DECIMAL(18,2)', 'union': 'INTEGER', 'occupation': 'VARCHAR', 'hours': 'BIGINT', 'experience': 'BIGINT', 'since': 'DATE'}`
const folder = mkdtempSync(join(tmpdir(), 'sealpool-exp-'))
const format = process.argv[2] ?? 'csv'
const kind = process.argv[3] ?? 'columns'
const path = `/tmp/exp-some.${format}`
if (!existsSync(path)) writeExport(path, format, { rows: count })
const bundled = await withModule(refiners[kind], (entry) => bundleRefiner({ entry }))
const runtime = await createProcessRuntime({ isolation: 'best', children: 2 })
const key = crypto.getRandomValues(new Uint8Array(32))
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
const reader = format === 'csv' ? `read_csv('${path}', columns = ${columns}, header = true)` : `read_json('${path}', format = 'newline_delimited', columns = ${columns})`
const { execSync } = await import('node:child_process')
const childCpu = () => { // utime+stime of all descendants, in ms
  const out = execSync(`ps -o pid=,ppid=,cputimes= -e`).toString()
  const rows = out.trim().split('\n').map((l) => l.trim().split(/\s+/).map(Number))
  const mine = new Set([process.pid]); let more = true; let pids = []
  while (more) { more = false; for (const [pid, ppid] of rows) if (mine.has(ppid) && !mine.has(pid)) { mine.add(pid); more = true; pids.push(pid) } }
  let t = 0
  for (const pid of pids) { try { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); t += (Number(f[11]) + Number(f[12])) * 10 } catch {} }
  return t
}
for (let turn = 0; turn < Number(process.env.TURNS ?? 4); turn += 1) {
  const c0 = childCpu(); const cpu0 = process.cpuUsage(); const t0 = performance.now()
  const output = join(folder, 'out'); rmSync(output, { recursive: true, force: true })
  await runFileJob({ refiner: bundled, runtime, inputs: [{ id: 'e', path, contributor: 1 }], output, key, withoutDigest: true, workers: Number(process.env.WORKERS ?? 2) })
  const t1 = performance.now(); const cpu1 = process.cpuUsage(cpu0); const c1 = childCpu()
  const cpu2 = process.cpuUsage(); const t1b = performance.now()
  await connection.run(`COPY (SELECT 1::BIGINT contributor, wage, "union" = 1 AS member, occupation, hours, experience, since FROM ${reader}) TO '${join(folder, 'd.parquet')}' (FORMAT parquet)`)
  const t2 = performance.now(); const cpu3 = process.cpuUsage(cpu2)
  console.log(`ours wall ${(t1-t0).toFixed(0)} cpu ${((cpu1.user+cpu1.system)/1e3).toFixed(0)} + children ${(c1-c0).toFixed(0)}; duck wall ${(t2-t1b).toFixed(0)} cpu ${((cpu3.user+cpu3.system)/1e3).toFixed(0)} ratio ${((t2-t1b)/(t1-t0)).toFixed(3)} cpu ratio ${((cpu3.user+cpu3.system)/(cpu1.user+cpu1.system+1e3*(c1-c0))).toFixed(3)}`)
}
await runtime.close(); connection.closeSync(); instance.closeSync(); rmSync(folder, { recursive: true })
