/** What runs on this machine, as Linux tells it under /proc. */
import { readdir, readFile } from 'node:fs/promises'

/** What `stat` says of a process after its name, which stands in brackets and may hold spaces; undefined when it is gone. */
async function statOf(pid: number | string): Promise<readonly string[] | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    // It has ended since it was listed, which is an answer.
    return undefined
  }
}

/** @returns process ids of all descendants of a process */
export async function descendants(pid: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await statOf(name) : undefined
    if (stat !== undefined) parents.set(Number(name), Number(stat[1]))
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
  const stat = await statOf(pid)
  return stat !== undefined && stat[0] !== 'Z'
}
