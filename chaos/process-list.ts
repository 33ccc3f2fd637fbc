/**
 * What runs, as Linux tells it under /proc, and what this program has started itself.
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'

const started = new Set<ChildProcess>()

/** Notes a process that must not outlive this program. */
export function track<Child extends ChildProcess>(child: Child): Child {
  started.add(child)
  child.once('exit', () => started.delete(child))
  return child
}

/** Ends every noted process at once. */
export function killAll(): void {
  for (const child of started) child.kill('SIGKILL')
}

/** What others can read of a process: its command line, and its environment as far as this user may. */
export async function wordsOf(
  pid: number,
): Promise<{ readonly words: Buffer; readonly environment: Buffer }> {
  // A process that has ended, or is another user's, shows nothing.
  const read = (name: string) => readFile(`/proc/${pid}/${name}`).catch(() => Buffer.alloc(0))
  // In this order: between fork and exec a child has both of its parent, and the environment is never older than the words.
  const words = await read('cmdline')
  return { words, environment: await read('environ') }
}

/** @returns memory of a process that lies in RAM, in bytes; 0 when it is gone */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}
