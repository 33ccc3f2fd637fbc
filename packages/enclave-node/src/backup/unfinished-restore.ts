import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { NodeError } from '../errors.js'

/** Folder in which a restore works; as long as it is there, what lies beside it is no state. */
export const unfinishedRestore = 'restore.part'

/** @throws NodeError `STATE_UNREADABLE` for a folder in which a restore was cut off */
export function requireRestored(folder: string): void {
  if (!existsSync(join(folder, unfinishedRestore))) return
  throw new NodeError(
    'STATE_UNREADABLE',
    'data directory',
    'a restore was cut off in it; run it again, it begins anew',
  )
}
