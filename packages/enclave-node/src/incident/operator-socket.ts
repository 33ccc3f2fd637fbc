/**
 * Takes orders of incidents over a socket in the node's data folder, which is its user's alone: one line of JSON in, one line out.
 * Whoever may open it may stop the node anyway.
 * @module
 */
import { createConnection, type Socket } from 'node:net'
import { NodeError, type NodeErrorCode } from '../errors.js'
import type { NodeLogger } from '../runtime/logger.js'
import { folderSocket, listenInFolder } from '../state/folder-socket.js'
import {
  type IncidentOrder,
  type IncidentStanding,
  incidentOrderSchema,
  incidentStandingSchema,
} from './incident-order.js'

const idleMs = 60_000
const maximumLine = 64 * 1024

/** @returns where a node takes orders; undefined when the folder's name is too long for a socket */
export function operatorSocket(directory: string): string | undefined {
  return folderSocket(directory, 'operator.sock')
}

/**
 * Takes orders.
 * @param options where, and what carries them out
 * @returns ends it
 */
export function serveOrders(options: {
  readonly path: string
  readonly order: (order: IncidentOrder) => Promise<IncidentStanding>
  readonly log: NodeLogger
}): Promise<() => Promise<void>> {
  const { path, order, log } = options
  const carryOut = async (socket: Socket): Promise<void> => {
    const answer = await answerTo(await oneLine(socket), order).catch((error: unknown) => {
      if (!(error instanceof NodeError)) throw error
      return { error: { code: error.code, place: error.place, message: error.message } }
    })
    socket.end(`${JSON.stringify(answer)}\n`)
  }
  return listenInFolder({
    path,
    idleMs,
    accept: (socket) => {
      carryOut(socket).catch((error: unknown) => {
        log.error({ err: error }, 'an order could not be carried out')
        socket.destroy()
      })
    },
  })
}

async function answerTo(line: string, order: (order: IncidentOrder) => Promise<IncidentStanding>) {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    json = undefined
  }
  const read = incidentOrderSchema.safeParse(json)
  if (!read.success) throw new NodeError('CONFIG_INVALID', 'order', 'this is no order of an incident')
  return order(read.data)
}

/**
 * Orders something of a running node.
 * @param path its socket
 * @param order what
 * @returns how it stands then
 * @throws NodeError `NODE_UNREACHABLE` when no node listens; what it refuses the order for
 */
export async function sendOrder(path: string, order: IncidentOrder): Promise<IncidentStanding> {
  const unreachable = (cause?: unknown) =>
    new NodeError('NODE_UNREACHABLE', path, 'the node that has the data folder does not answer; start it', {
      cause,
    })
  const socket = createConnection({ path })
  socket.setTimeout(idleMs, () => socket.destroy())
  let answer: unknown
  try {
    const line = oneLine(socket)
    socket.write(`${JSON.stringify(order)}\n`)
    answer = JSON.parse(await line)
  } catch (cause) {
    throw unreachable(cause)
  } finally {
    socket.destroy()
  }
  const read = incidentStandingSchema.safeParse(answer)
  if (read.success) return read.data
  const { error } = (answer ?? {}) as {
    readonly error?: { readonly code: NodeErrorCode; readonly place: string; readonly message: string }
  }
  if (error === undefined) throw unreachable()
  throw new NodeError(error.code, error.place, `the node refused: ${error.message}`)
}

/** The first line that comes. */
function oneLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('data', (part: Buffer) => {
      text += part.toString('utf8')
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
      else if (text.length > maximumLine) socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('it was cut off')))
  })
}
