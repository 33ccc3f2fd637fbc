import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Runs the demo, a process of its own with chain, node and engine, once for each number of workers.
 *
 * @param workers how many take part in each run
 * @returns for each run, the demo's own summary
 */
export function demoRuns(workers) {
  return workers.map((count) => {
    const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-'))
    try {
      const file = join(folder, 'summary.json')
      const demo = spawnSync(
        process.execPath,
        ['scripts/demo.mjs', '--workers', String(count), '--out', join(folder, 'output'), '--json', file],
        { cwd: root, encoding: 'utf8' },
      )
      if (demo.status !== 0) throw new Error(`the demo with ${count} workers failed:\n${demo.stderr}`)
      return JSON.parse(readFileSync(file, 'utf8'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
