import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '../process/child.js'

/** A launcher and its program where a command finds them. */
interface Placed {
  readonly command: Command
  /** What the command is to be given from descriptor 3 on. */
  readonly feeds: readonly Uint8Array[]
  /** Takes away what was put on the disk. */
  remove(): void
}

/** Puts a program where it can be started: inside the walls, or in a folder of this machine. */
export interface ProgramPlace {
  /** @param launcher - makes the launcher for the path that the program will have */
  place(program: Uint8Array, launcher: (path: string) => Uint8Array): Placed
}

/**
 * Inside bubblewrap: a root that holds the two and nothing else, and no process but theirs.
 *
 * @param walls - bubblewrap's options that make the walls
 */
export function insideBubblewrap(walls: readonly string[]): ProgramPlace {
  const paths = { program: '/program', launcher: '/launcher' }
  const file = (descriptor: number, path: string): string[] => [
    ...['--perms', '0555', '--file', String(descriptor), path],
  ]
  return {
    place: (program, launcher) => ({
      // As process 1, so that bubblewrap leaves none of its own in there, which would need system calls that the program must not have.
      command: {
        program: 'bwrap',
        args: [
          ...walls,
          '--as-pid-1',
          ...file(3, paths.launcher),
          ...file(4, paths.program),
          ...['--remount-ro', '/', '--chdir', '/', '--', paths.launcher],
        ],
      },
      feeds: [launcher(paths.program), program],
      remove() {},
    }),
  }
}

/** In a folder that only this user reads, which is gone after the run. */
export const inFolder: ProgramPlace = {
  place(program, launcher) {
    const folder = mkdtempSync(join(tmpdir(), 'sealpool-native-'))
    const paths = { program: join(folder, 'program'), launcher: join(folder, 'launcher') }
    writeFileSync(paths.program, program, { mode: 0o500 })
    writeFileSync(paths.launcher, launcher(paths.program), { mode: 0o500 })
    return {
      command: { program: paths.launcher, args: [] },
      feeds: [],
      remove: () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}
