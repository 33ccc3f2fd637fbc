/**
 * Gives backups of a node that runs, over a socket in its data folder. Whoever may open it gets what lies in the folder anyway:
 * sealed rows and encrypted tables.
 * @module
 */
import { rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { NodeError } from '../errors.js'
import type { NodeLogger } from '../runtime/logger.js'
import type { TakenBackup } from './take-backup.js'

/** Longest name of a socket that Linux takes is 107 bytes. */
const longestPath = 107
/** Milliseconds without a byte after which the other end is given up. */
const idleMs = 120_000

/** @returns where a node's socket lies; undefined when the folder's name is too long for one */
export function backupSocket(directory: string): string | undefined {
  const path = join(directory, 'backup.sock')
  return Buffer.byteLength(path) <= longestPath ? path : undefined
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
  // One that a killed node left; the lock on the folder says that no other node uses it.
  rmSync(path, { force: true })
  let last: Promise<void> = Promise.resolve()
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.setTimeout(idleMs, () => socket.destroy())
    socket.on('error', () => undefined)
    const give = async (): Promise<void> => {
      if (socket.destroyed) return
      const taken = await take()
      try {
        await pipeline(Readable.from(taken.read()), socket)
        log.info({ commit: taken.header.commit }, 'gave a backup')
      } finally {
        await taken.close()
      }
    }
    last = last.then(give).catch((error: unknown) => {
      log.error({ err: error }, 'a backup could not be given')
      socket.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, readableAll: false, writableAll: false }, resolve)
  })
  return async () => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    // A node that stops waits for nobody; what was cut off is no backup, and whoever asked for it sees that.
    for (const socket of open) socket.destroy()
    await closed
    await last
    rmSync(path, { force: true })
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
