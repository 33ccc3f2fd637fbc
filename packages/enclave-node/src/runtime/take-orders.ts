/**
 * Has a node live with an incident, and take orders in it.
 * @module
 */
import { type NodeIncident, type NodeIncidentOptions, openNodeIncident } from '../incident/node-incident.js'
import { operatorSocket, serveOrders } from '../incident/operator-socket.js'
import type { NodeLogger } from './logger.js'

/**
 * @param options what an incident needs, `directory`: the data folder, where the socket lies, and the log
 * @returns the incident as it was left, and what ends the taking of orders
 */
export async function takeOrders(
  options: NodeIncidentOptions & { readonly directory: string; readonly log: NodeLogger },
): Promise<{ readonly incident: NodeIncident; close(): Promise<void> }> {
  const { directory, log, ...rest } = options
  const incident = await openNodeIncident(rest)
  const path = operatorSocket(directory)
  if (path === undefined) {
    log.warn('the name of the data folder is too long for a socket: no orders of incidents are taken')
    return { incident, close: async () => undefined }
  }
  return { incident, close: await serveOrders({ path, order: incident.order, log }) }
}
