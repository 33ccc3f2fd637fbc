/**
 * Gives backups of a node that runs, over a socket in its data folder. Whoever may open it gets what lies in the folder anyway:
 * sealed rows and encrypted tables.
 * @module
 */
import { createConnection, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { NodeError } from '../errors.js'
import type { NodeLogger } from '../runtime/logger.js'
import { folderSocket, listenInFolder } from '../state/folder-socket.js'
import type { TakenBackup } from './take-backup.js'

/** Milliseconds without a byte after which the other end is given up. */
const idleMs = 120_000

/** @returns where a node's socket lies; undefined when the folder's name is too long for one */
export function backupSocket(directory: string): string | undefined {
  return folderSocket(directory, 'backup.sock')
}

/**
 * Serves backups, one after the other: each connection gets one, and is cut off when it could not be taken.
 * @param take takes a backup of this moment
 * @returns ends it
 */
export async function serveBackups(options: {
  readonly path: string
  readonly take: () => Promise<TakenBackup>
  readonly log: NodeLogger
}): Promise<() => Promise<void>> {
  const { path, take, log } = options
  let last: Promise<void> = Promise.resolve()
  const give = async (socket: Socket): Promise<void> => {
    if (socket.destroyed) return
    const taken = await take()
    try {
      await pipeline(Readable.from(taken.read()), socket)
      log.info({ commit: taken.header.commit }, 'gave a backup')
    } finally {
      await taken.close()
    }
  }
  const end = await listenInFolder({
    path,
    idleMs,
    accept: (socket) => {
      last = last
        .then(() => give(socket))
        .catch((error: unknown) => {
          log.error({ err: error }, 'a backup could not be given')
          socket.destroy()
        })
    },
  })
  return async () => {
    // What was cut off is no backup, and whoever asked for it sees that.
    await end()
    await last
  }
}

/**
 * Asks a running node for a backup.
 * @returns its bytes; cut off when the node could not take it
 * @throws NodeError `NODE_UNREACHABLE` when no node listens
 */
export async function askForBackup(path: string): Promise<AsyncIterable<Uint8Array>> {
  const socket = createConnection({ path })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', (cause) =>
      reject(
        new NodeError('NODE_UNREACHABLE', path, 'the node that has the data folder does not answer', {
          cause,
        }),
      ),
    )
  })
  socket.setTimeout(idleMs, () => socket.destroy())
  return socket
}
