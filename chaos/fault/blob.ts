/** A blob store that is slow, without the blob, busy, broken off, silent, or full of wrong bytes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobMode } from '../blob-proxy.js'
import type { FaultReport } from '../fault-report.js'
import type { Scene } from '../scene.js'

const modes: readonly BlobMode[] = ['slow', 'missing', 'busy', 'cut', 'stall', 'corrupt']

/** Wrong bytes are the contributor's fault as far as the node can tell: it may refuse what it read while they came. */
const refusedForWrongBytes = ['BLOB_DIGEST_MISMATCH']

/** How long the node may take to ask for a blob. */
const patienceMs = 40_000

/** Injects each of them under work. @param seconds how long each */
export async function blobFault(
  scene: Scene,
  options: { readonly seconds: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const notes: string[] = []
  for (const mode of modes) {
    // What came before is out of danger when bytes are wrong: only what comes now may be refused for it.
    if (mode === 'corrupt') {
      const left = await scene.workLeftAfter(90_000)
      if (left !== undefined) breaches.push(`the work before was not done in 90 s: ${left}`)
    }
    const before = scene.blobs.counts.altered
    scene.blobs.set(mode)
    await scene.workload.contribute(3, mode === 'corrupt' ? refusedForWrongBytes : [])
    await sleep(options.seconds * 1000)
    for (let waited = 0; waited < patienceMs && scene.blobs.counts.altered === before; waited += 50) {
      await sleep(50)
    }
    scene.blobs.set('pass')
    const altered = scene.blobs.counts.altered - before
    notes.push(`${mode}: ${altered} requests`)
    if (altered === 0) breaches.push(`the store was never asked while it was ${mode}: nothing was shown`)
  }
  options.say(`blob store: ${modes.length} faults`)
  return { fault: 'blob store', injected: modes.length, notes, breaches }
}
