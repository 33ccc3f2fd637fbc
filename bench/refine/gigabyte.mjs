// 1 GB of CSV through a file job with its content digest, in this process: `node bench/refine/gigabyte.mjs [csv|jsonl] [MB] [without-digest]`. Prints
// rows, seconds and the peak of this process's memory (getrusage).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runFileJob } from '@sealpool/refine/file-job'
import { withModule } from '../builder/with-module.mjs'
import { refiners, writeExport } from './payroll-exports.mjs'

if (process.argv[2] === 'prepare') {
  // In a process of its own, so that neither esbuild's memory nor that of writing the export counts as the job's.
  const [, , , format, path, megabytes] = process.argv
  writeExport(path, format, { bytes: Number(megabytes) * 1e6 })
  const { bundleRefiner } = await import('@sealpool/refine/bundle')
  console.log(JSON.stringify(await withModule(refiners.data, (entry) => bundleRefiner({ entry }))))
  process.exit(0)
}
const format = process.argv[2] ?? 'csv'
const withoutDigest = process.argv[4] === 'without-digest'
const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'sealpool-gigabyte-'))
try {
  const path = join(folder, `export.${format}`)
  const refiner = JSON.parse(
    execFileSync(
      process.execPath,
      [fileURLToPath(import.meta.url), 'prepare', format, path, process.argv[3] ?? '1000'],
      { encoding: 'utf8' },
    ),
  )
  const before = process.resourceUsage().maxRSS / 1024
  const started = performance.now()
  const done = await runFileJob({
    refiner,
    inputs: [{ id: 'export', path, contributor: 1 }],
    output: join(folder, 'out'),
    key: crypto.getRandomValues(new Uint8Array(32)),
    withoutDigest,
    workers: Number(process.env['BENCH_WORKERS'] ?? 2),
  })
  const seconds = (performance.now() - started) / 1000
  const peak = process.resourceUsage().maxRSS / 1024
  console.log(
    `${(statSync(path).size / 1e6).toFixed(0)} MB of ${format}, ${done.tables.workers.rows} rows in ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)} MiB (${before.toFixed(0)} MiB before), ${done.contentDigest}`,
  )
} finally {
  rmSync(folder, { recursive: true })
}
