import { join } from 'node:path'
import type { NodeConfig } from './node-config.js'

/** Where the encrypted tables lie. */
export function tablesFolder({ state, dataDirectory }: NodeConfig): string {
  return state.kind === 'postgresql' ? state.tablesDirectory : join(dataDirectory, 'tables')
}

/** The audit log: in the data folder, or with the tables that a group shares. */
export function auditPath({ state, dataDirectory }: NodeConfig): string {
  return join(state.kind === 'postgresql' ? state.tablesDirectory : dataDirectory, 'audit.jsonl')
}

/** Tables on their way to another node, under keys of their jobs; with the tables that a group shares. */
export function handOffFolder(config: NodeConfig): string {
  return join(tablesFolder(config), 'hand-off')
}

/** Tables of live pools, made for jobs: of this machine and this run alone. */
export function liveFolder({ dataDirectory }: NodeConfig): string {
  return join(dataDirectory, 'live-tables')
}

/** Tables of jobs that run here for other nodes: of this machine and this run alone. */
export function servedHandOffFolder({ dataDirectory }: NodeConfig): string {
  return join(dataDirectory, 'hand-off-served')
}
