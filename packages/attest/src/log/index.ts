/**
 * A transparency log: Merkle tree (RFC 9162), tiles, signed checkpoints, cosignatures of witnesses (C2SP signed-note,
 * tlog-checkpoint, tlog-cosignature, tlog-tiles), and what verifiers, witnesses and monitors do with them. Everything computes;
 * storing and serving tiles is the caller's.
 *
 * @module
 */
export {
  addSignatures,
  type Checkpoint,
  cosign,
  cosignatureTime,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
} from './checkpoint.js'
export { type LogEntry, logEntryBytes, logEntryKinds, logEntrySchema, parseLogEntry } from './entry.js'
export {
  consistencyProof,
  inclusionProof,
  leafHash,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from './merkle-tree.js'
export { knownDigests, type LogAlert, type MonitorState, monitorLog } from './monitor.js'
export {
  formatNote,
  formatNoteKey,
  type NoteKey,
  type NoteKeyKind,
  type NoteSignature,
  noteKey,
  parseNote,
  parseNoteKey,
  type SignedNote,
  signNote,
  verifyNote,
} from './signed-note.js'
export { formatEntryBundle, parseEntryBundle, tilePath, tileWidth, treeTiles } from './tiles.js'
export { type LogTrust, type LogVerdict, logCheckTitles, verifyLogged } from './verify.js'
export { emptyWitnessState, type WitnessAnswer, type WitnessState, witnessCheckpoint } from './witness.js'
