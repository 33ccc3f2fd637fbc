import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { figure, printTable } from '../measure/table.mjs'

const child = fileURLToPath(new URL('stream-child.mjs', import.meta.url))

/**
 * Seals 4 GiB as a stream into a file, opens it again, and opens ranges of it, each in a process of its own.
 *
 * @param print takes one line
 */
export function largeStream(print) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-'))
  const { bavail, bsize } = statfsSync(folder)
  // On a small disk a smaller file; the title says which.
  const size = bavail * bsize > 6 * 2 ** 30 ? 4 * 2 ** 30 : 256 * 2 ** 20
  try {
    const run = (task) =>
      JSON.parse(execFileSync(process.execPath, [child, task, join(folder, 'file'), String(size)]).toString())
    const results = { seal: run('seal'), open: run('open'), range: run('range') }
    const row = (label, { seconds, startKibibytes, peakKibibytes }, moved) => [
      label,
      moved ? figure(size / 2 ** 20 / seconds) : null,
      figure(startKibibytes / 1024),
      figure(peakKibibytes / 1024),
    ]
    const { openMilliseconds, readMilliseconds, worst, reads } = results.range
    printTable(print, {
      title: `A stream of ${figure(size / 2 ** 30)} GiB through a file, each step in a process of its own`,
      columns: ['', 'MiB/s', 'MiB at the start', 'MiB at the peak'],
      rows: [
        row('seal (stream to file)', results.seal, true),
        row('openStream (file to nothing, bytes checked)', results.open, true),
        row('21 ranges of 1 MiB', results.range, false),
      ],
      notes: [
        'Memory is the resident set of the whole process: Node itself is the start.',
        `openRange of 1 MiB, header and all: ${figure(openMilliseconds)} ms (median of 21, worst but the first ${figure(worst)} ms);`,
        `a part from an open sealedReader: ${figure(readMilliseconds)} ms. Reads: ${reads.length}, of ${reads.join(', ')} bytes: two of the header, one of the chunks.`,
      ],
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
