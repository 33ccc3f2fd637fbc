import { readdirSync, readFileSync } from 'node:fs'

/** Living processes started by one, directly or not, by id. @param root - this process when absent */
export function descendants(root: number = process.pid): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    try {
      const [, state, parent] =
        /^\d+ \(.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
      if (state !== 'Z') parents.set(Number(name), Number(parent))
    } catch {}
  }
  const below = (id: number): boolean => {
    const parent = parents.get(id)
    return parent !== undefined && (parent === root || below(parent))
  }
  return [...parents.keys()].filter(below)
}

/** Whether a process lives. @param id - its id */
export function isAlive(id: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${id}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Waits until something holds, for 15 seconds at most. @param check - asked again and again */
export async function eventually(check: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < 15_000; waited += 50) {
    if (check()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return check()
}
