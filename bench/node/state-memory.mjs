import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Fills the state of a node in a process of its own, with what the node writes for contributions and in its commits, and measures that process.
 *
 * @param count contributions at the end
 * @param steps measured after each part
 * @returns for each part what the process takes, in megabytes, and what of it is what
 */
export async function stateMemory(count, steps) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./state-filler.mjs', import.meta.url)), String(count), String(steps)],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const measured = []
  child.on('message', (one) => measured.push(one))
  const [code] = await once(child, 'close')
  if (code !== 0 || measured.length !== steps) throw new Error(`filling a state ended with ${code}`)
  return measured
}
