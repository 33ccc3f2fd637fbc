/**
 * Sockets in a node's data folder: whoever may open them is the node's own user. How a running node is spoken to on its machine.
 * @module
 */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

/** Longest name of a socket that Linux takes is 107 bytes. */
const longestPath = 107

/** @returns where a socket of this name lies; undefined when the folder's name is too long for one */
export function folderSocket(directory: string, name: string): string | undefined {
  const path = join(directory, name)
  return Buffer.byteLength(path) <= longestPath ? path : undefined
}

/**
 * Listens for this user alone.
 * @param options `idleMs`: milliseconds without a byte after which the other end is given up; `accept`: told of each connection
 * @returns ends it, and cuts off whoever is connected: a node that stops waits for nobody
 */
export async function listenInFolder(options: {
  readonly path: string
  readonly idleMs: number
  readonly accept: (socket: Socket) => void
}): Promise<() => Promise<void>> {
  const { path, idleMs, accept } = options
  // One that a killed node left; the lock on the folder says that no other node uses it.
  rmSync(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.setTimeout(idleMs, () => socket.destroy())
    // What breaks a connection closes it as well, and is told there.
    socket.on('error', () => undefined)
    accept(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, readableAll: false, writableAll: false }, resolve)
  })
  return async () => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    for (const socket of open) socket.destroy()
    await closed
    rmSync(path, { force: true })
  }
}
