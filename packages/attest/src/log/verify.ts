import { bytesToHex } from '@noble/hashes/utils.js'
import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { type Check, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import { momentSeconds } from '../verdict/moment.js'
import { type Checkpoint, cosignatureTime, openCheckpoint } from './checkpoint.js'
import { leafHash, verifyInclusion } from './merkle-tree.js'
import { isNoteKey, type NoteKey, type SignedNote } from './signed-note.js'

/** Whom to believe about a log. */
export interface LogTrust {
  readonly log: NoteKey
  readonly witnesses: readonly NoteKey[]
  /** How many witnesses must have cosigned. */
  readonly quorum: number
  /** How old the newest of the cosignatures that count may be, in seconds. */
  readonly maximumAgeSeconds?: number
}

/** Every question of {@link verifyLogged}. */
export const logCheckTitles = {
  checkpoint: 'The checkpoint is signed by the log',
  witnesses: 'Enough witnesses saw the same tree',
  inclusion: 'The entry is in the tree',
} as const

/** Answer of {@link verifyLogged}. */
export interface LogVerdict {
  readonly ok: boolean
  readonly checks: readonly Check[]
  readonly checkpoint: Checkpoint | null
}

/**
 * Whether an entry stands in a log that witnesses watch, offline.
 *
 * @param options the entry, its place and proof, the checkpoint, whom to believe, and the moment
 * @param options.entry the entry's bytes
 * @param options.checkpoint signed checkpoint, with cosignatures
 * @param options.at the moment for which the answer holds
 * @returns every check, and the checkpoint when its log signed it
 * @throws AttestError `BAD_LOG` when the checkpoint cannot be read, `BAD_ARGUMENT` for an entry, trust, a quorum or a
 *   moment that is none
 */
export function verifyLogged(options: {
  readonly entry: Uint8Array
  readonly index: number
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: string
  readonly trust: LogTrust
  readonly at: Date
}): LogVerdict {
  const { entry, index, proof, trust, at } = options
  needBytes(entry, 'options.entry')
  needTrust(trust)
  if (!Number.isSafeInteger(trust.quorum) || trust.quorum < 0)
    throw new AttestError('BAD_ARGUMENT', 'trust.quorum', 'The quorum must be a whole number of at least 0')
  const seconds = momentSeconds(at)
  const checks = checkList(logCheckTitles)
  const opened = openCheckpoint(options.checkpoint, trust.log)
  checks.run('checkpoint', [], () => {
    if (opened === undefined) return fail(`it is not signed by ${trust.log.name}`)
    return pass(`${opened.checkpoint.size} entries of ${opened.checkpoint.origin}.`)
  })
  checks.run('witnesses', ['checkpoint'], () => {
    if (opened === undefined) return notChecked('')
    const fresh = freshCosignatures(opened.note, trust, seconds)
    const text = `${fresh.length} of ${trust.quorum} that are asked for: ${fresh.join(', ')}`
    return fresh.length >= trust.quorum ? pass(`${text}.`) : fail(text)
  })
  checks.run('inclusion', ['checkpoint'], () => {
    if (opened === undefined) return notChecked('')
    const { size, root } = opened.checkpoint
    const included = verifyInclusion({ leaf: leafHash(entry), index, size, proof, root })
    return included ? pass(`Entry ${index}.`) : fail('the path does not lead to the root')
  })
  return { ok: checks.ok(), checks: checks.list(), checkpoint: opened?.checkpoint ?? null }
}

/** Whom nobody names is nobody to believe. */
function needTrust(trust: LogTrust): void {
  const age: unknown = trust?.maximumAgeSeconds
  const holds =
    isNoteKey(trust?.log) &&
    Array.isArray(trust.witnesses) &&
    Array.from(trust.witnesses).every(isNoteKey) &&
    (age === undefined || (typeof age === 'number' && age >= 0))
  if (!holds)
    throw new AttestError(
      'BAD_ARGUMENT',
      'trust',
      'Keys of a log and its witnesses, and an age in seconds, are expected',
    )
}

/**
 * Names of witnesses with a valid cosignature that is neither too old nor from the future. Each key counts once, whatever its
 * names, and the log's own key is no witness of itself.
 */
function freshCosignatures(note: SignedNote, trust: LogTrust, now: number): string[] {
  const oldest = now - (trust.maximumAgeSeconds ?? Number.MAX_SAFE_INTEGER)
  const names = new Map<string, string>()
  const own = bytesToHex(trust.log.publicKey)
  for (const witness of trust.witnesses) {
    const key = bytesToHex(witness.publicKey)
    if (key === own || names.has(key)) continue
    const time = cosignatureTime(note, witness, now)
    if (time !== undefined && time >= oldest) names.set(key, witness.name)
  }
  return [...names.values()]
}
