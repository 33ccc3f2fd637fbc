import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { SandboxError } from '../errors.js'

const CLOSE_ON_EXEC = 0o2000000
/** Each number up to the highest is opened on nothing; a table of a million of them is nobody's intention. */
const HIGHEST = 4095

/**
 * Starts a child so that it gets no descriptor that whoever started this process left open: each number up to the highest of them is opened on
 * nothing. Node opens its own so that they end with the exec, and closes what it was started with up to the first gap after 15; a file, socket or
 * device above that gap would go on into code that is to have none.
 *
 * @param used - how many descriptors the child has of its own, from 0 on
 * @param start - starts it, with these entries of `stdio` after the child's own
 * @param table - where the system lists this process's descriptors, for tests
 * @returns what was started
 * @throws {@link SandboxError} `RUNTIME_UNAVAILABLE` where one is open beyond 4,095
 */
export function withoutInherited<Started>(
  used: number,
  start: (covered: readonly number[]) => Started,
  table = '/proc/self',
): Started {
  const highest = Math.max(-1, ...openAcrossExec(table))
  if (highest > HIGHEST) {
    throw new SandboxError(
      'RUNTIME_UNAVAILABLE',
      'isolation',
      `This process was started with descriptor ${highest} open, which code in the sandbox would inherit. Start it without.`,
    )
  }
  const count = highest + 1 - used
  if (count <= 0) return start([])
  const nothing = openSync(devNull, 'r')
  try {
    return start(Array.from({ length: count }, () => nothing))
  } finally {
    closeSync(nothing)
  }
}

/** The descriptors that outlive an exec. Where the system lists none (no /proc), none are known. */
function openAcrossExec(table: string): number[] {
  let names: string[]
  try {
    names = readdirSync(`${table}/fd`)
  } catch {
    return []
  }
  return names.map(Number).filter((descriptor) => {
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`${table}/fdinfo/${descriptor}`, 'latin1'))?.[1]
      return flags === undefined || (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
    } catch {
      // The one that listed the folder: it is closed by now.
      return false
    }
  })
}
