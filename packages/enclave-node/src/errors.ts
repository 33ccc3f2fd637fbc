/** Every reason for which the node refuses or fails, apart from what its parts throw. */
export type NodeErrorCode =
  | 'OPTION_INVALID'
  | 'CONFIG_INVALID'
  | 'CONFIG_FILE_UNREADABLE'
  | 'CONFIG_POOL_MISMATCH'
  | 'SECRET_MISSING'
  | 'STATE_LOCKED'
  | 'STATE_LOST'
  | 'STATE_NOT_EMPTY'
  | 'STATE_UNREADABLE'
  | 'STATE_TOO_NEW'
  | 'STATE_OF_ANOTHER_NODE'
  | 'STATE_ROLLED_BACK'
  | 'STATE_TAMPERED'
  | 'STATE_NOT_SEALED'
  | 'SCRATCH_FAILED'
  | 'SCRATCH_TAMPERED'
  | 'BACKUP_INVALID'
  | 'BACKUP_FAILED'
  | 'CHECKPOINT_INVALID'
  | 'KEY_UNREADABLE'
  | 'TRACE_NOT_SENT'
  | 'INCIDENT_NOT_OPEN'
  | 'INTERRUPTED'
  | 'ENTRY_INVALID'
  | 'QUOTE_FAILED'
  | 'CHAIN_MISMATCH'
  | 'WOULD_CONTRADICT'
  | 'ENTRIES_GONE'
  | 'JOB_MOVED'
  | 'CHAIN_STALE'
  | 'CHAIN_DISAGREES'
  | 'JOB_ALREADY_CHARGED'
  | 'CHAIN_REORGANISED'
  | 'CHAIN_CALL_FAILED'
  | 'NODE_UNREACHABLE'
  | 'PORT_UNAVAILABLE'
  | 'PEER_NOT_ATTESTED'
  | 'PEER_GPUS_NOT_PROVED'
  | 'PEER_ANSWER_INVALID'
  | 'PEERS_SILENT'
  | 'HEAD_NOT_KEPT'
  | 'HAND_OFF_FILES_LOST'
  | 'HAND_OFF_REFUSED'
  | 'SHARE_REFUSED'
  | 'SHARE_DIFFERS'
  | 'VALIDATION_WITHHELD'
  | 'KEYS_MOVED'
  | 'MIGRATION_REFUSED'
  | 'COMMITTEE_INVALID'
  | 'BLOB_NOT_REMOVED'

/** The node's own error. `place` names the setting, table, pool or job; no message carries private data or a secret. */
export class NodeError extends Error {
  override readonly name = 'NodeError'
  readonly code: NodeErrorCode
  readonly place: string

  /**
   * @param code stable reason
   * @param place setting, table, pool, contribution or job
   * @param message what happened and what to do about it
   * @param options the error underneath
   */
  constructor(code: NodeErrorCode, place: string, message: string, options?: { readonly cause?: unknown }) {
    super(`${code} at ${place}: ${message}`, options)
    this.code = code
    this.place = place
  }
}
