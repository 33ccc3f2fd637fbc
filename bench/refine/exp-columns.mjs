import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { runFileJob } from '@sealpool/refine/file-job'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { withModule } from '../builder/with-module.mjs'
import { refiners, writeExport } from './payroll-exports.mjs'
const folder = mkdtempSync(join(tmpdir(), 'sealpool-exp-'))
const runtime = await createQuickJsRuntime()
const path = `/tmp/exp-1m.csv`
if (!existsSync(path)) writeExport(path, 'csv', { rows: 1_000_000 })
for (const kind of (process.env.KINDS ?? 'columns').split(',')) {
const bundled = await withModule(refiners[kind], (entry) => bundleRefiner({ entry }))
for (let turn = 0; turn < 3; turn += 1) {
  const cpu0 = process.cpuUsage(); const t0 = performance.now()
  const output = join(folder, 'out'); rmSync(output, { recursive: true, force: true })
  const r = await runFileJob({ refiner: bundled, runtime, inputs: [{ id: 'e', path, contributor: 1 }], output, key: new Uint8Array(32), withoutDigest: true, workers: 0 })
  const t1 = performance.now(); const cpu1 = process.cpuUsage(cpu0)
  console.log(kind, `wall ${(t1-t0).toFixed(0)} cpu ${((cpu1.user+cpu1.system)/1e3).toFixed(0)}`, r.refused)
}}
rmSync(folder, { recursive: true })
