import { hexToBytes } from '@noble/hashes/utils.js'
import { parseNoteKey } from '../log/signed-note.js'
import { type LogTrust, type LogVerdict, verifyLogged } from '../log/verify.js'
import { integer, list, optional, record, schema, text } from '../shape/shape.js'

const hex = text<`0x${string}`>({
  max: 1 << 20,
  pattern: /^0x(?:[0-9a-f]{2})*$/,
  what: '0x and lower-case hex',
})

interface Question {
  entry: `0x${string}`
  index: number
  proof: `0x${string}`[]
  checkpoint: string
}
const questionSchema = schema(
  'BAD_LOG',
  'log',
  'Not a logged entry',
  record<Question>({ entry: hex, index: integer(0), proof: list(hex, { max: 64 }), checkpoint: text() }),
)

interface Trust {
  log: string
  witnesses: string[]
  quorum: number
  maximumAgeSeconds?: number
}
const trustSchema = schema(
  'BAD_LOG',
  'trust',
  'Not a log’s trust',
  record<Trust>({
    log: text({ max: 1000 }),
    witnesses: list(text({ max: 1000 }), { max: 100 }),
    quorum: integer(0, 100),
    maximumAgeSeconds: optional(integer(1)),
  }),
)

/**
 * Verifies an entry of a transparency log from JSON files.
 *
 * @throws AttestError `BAD_LOG`
 */
export function verifyLogFile(question: unknown, trust: unknown, at: Date): LogVerdict {
  const { entry, index, proof, checkpoint } = questionSchema.parse(question)
  const { log, witnesses, quorum, maximumAgeSeconds } = trustSchema.parse(trust)
  const parsed: LogTrust = {
    log: parseNoteKey(log),
    witnesses: witnesses.map(parseNoteKey),
    quorum,
    ...(maximumAgeSeconds === undefined ? {} : { maximumAgeSeconds }),
  }
  const bytes = (value: string) => hexToBytes(value.slice(2))
  return verifyLogged({ entry: bytes(entry), index, proof: proof.map(bytes), checkpoint, trust: parsed, at })
}
