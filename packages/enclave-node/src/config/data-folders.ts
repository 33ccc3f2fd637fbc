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
