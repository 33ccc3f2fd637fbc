/**
 * A disk that takes nothing more. A stranger's machine gives us no small file system without root, so the limit is the
 * process's own: `prlimit --fsize` (util-linux) lets no file of the node grow past a size while it runs; writes fail with EFBIG where a full disk
 * gives ENOSPC.
 * @module
 */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FaultReport } from '../fault-report.js'
import type { Scene } from '../scene.js'

const run = promisify(execFile)

/** Sizes in bytes: nothing at all, and what leaves room in files that are there already. */
const limits = [0, 1 << 20] as const

/** How long the node may take to write something. */
const patienceMs = 40_000

/** Injects each limit under work, then gives room again and starts the node anew, as an operator does. */
export async function diskFault(
  scene: Scene,
  options: { readonly seconds: number; readonly count: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const notes: string[] = []
  const chosen = limits.slice(0, options.count)
  for (const bytes of chosen) {
    const limit = async (text: string) =>
      run('prlimit', ['--pid', String(scene.node().pid), `--fsize=${text}`])
    let failures = 0
    const off = scene.node().onLine(({ level }) => {
      if (level >= 50) failures += 1
    })
    await limit(`${bytes}:unlimited`)
    await scene.workload.contribute(4)
    await scene.workload.job()
    await sleep(options.seconds * 1000)
    for (let waited = 0; waited < patienceMs && bytes === 0 && failures === 0; waited += 50) await sleep(50)
    off()
    if (bytes === 0 && failures === 0)
      breaches.push('a disk without any room caused no error: nothing was shown')
    const alive = scene.node().isRunning()
    notes.push(
      `files of at most ${bytes} bytes: ${failures} errors in the log, the node ${alive ? 'went on' : 'ended by itself'}`,
    )
    if (alive) await scene.kill()
    scene.launch()
    await scene
      .ready()
      .catch((error: Error) => breaches.push(`after a full disk (${bytes} bytes): ${error.message}`))
  }
  options.say(`disk full: ${chosen.length} faults`)
  return { fault: 'disk full (file-size limit)', injected: chosen.length, notes, breaches }
}
