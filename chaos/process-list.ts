/**
 * What runs, as Linux tells it under /proc, and what this program has started itself.
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'

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

/** @returns process ids of all descendants of a process */
export async function descendants(pid: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    if (stat === '') continue
    // The name of the program stands in brackets and may hold spaces.
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const found: number[] = []
  const walk = (parent: number): void => {
    for (const [child, own] of parents) {
      if (own !== parent) continue
      found.push(child)
      walk(child)
    }
  }
  walk(pid)
  return found
}

/** @returns whether a process runs; one that has ended and waits for its parent does not */
export async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
}

/** What others can read of a process: its command line, and its environment as far as this user may. */
export async function wordsOf(
  pid: number,
): Promise<{ readonly words: Buffer; readonly environment: Buffer }> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`).catch(() => Buffer.alloc(0))
  const [words, environment] = await Promise.all([read('cmdline'), read('environ')])
  return { words, environment }
}

/** @returns memory of a process that lies in RAM, in bytes; 0 when it is gone */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}
