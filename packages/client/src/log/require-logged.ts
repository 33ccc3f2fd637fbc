import { AttestError } from '@sealpool/attest'
import { type LogTrust, parseLogEntry, verifyLogged } from '@sealpool/attest/log'
import { type Hex, hexToDigest } from '@sealpool/crypto'
import type { LogAnswer, MeasurementLog } from '../verify/measurement-log.js'

/** An entry of a log with its way to the root, of unknown origin. */
export interface LoggedMeasurement {
  /** The entry's bytes. */
  readonly entry: Uint8Array
  readonly index: number
  /** Inclusion proof, hashes of 32 bytes (RFC 9162). */
  readonly proof: readonly Uint8Array[]
  /** Signed checkpoint, with cosignatures of witnesses. */
  readonly checkpoint: string
}

/** Where logged measurements come from; not trusted. `undefined`: the log has no entry on it. */
export type LogSource = (measurement: Hex) => Promise<LoggedMeasurement | undefined>

/**
 * Demands that the code of a node stands in a log that witnesses watch.
 *
 * @param options - whom to believe, and whom to ask
 * @param options.trust the log's key, the witnesses' keys, and how many of them must have seen the tree
 * @param options.source where to get entry, proof and checkpoint; what it says is verified
 * @returns what `createPoolClient` takes as `log`; it rejects with `AttestError` `BAD_ARGUMENT` for a trust or a moment that is none
 */
export function requireLogged(options: {
  readonly trust: LogTrust
  readonly source: LogSource
}): MeasurementLog {
  return async (measurement, at) => {
    let logged: LoggedMeasurement | undefined
    try {
      logged = await options.source(measurement)
    } catch {
      return { result: 'not-checked', detail: 'the log did not answer; try again later' }
    }
    if (logged === undefined) return fail('the log has no entry on it')
    try {
      const { kind, digest, subject } = parseLogEntry(logged.entry)
      if (kind !== 'measurement' || digest !== hexToDigest(measurement))
        return fail('the entry is on something else')
      const { ok, checks } = verifyLogged({ ...logged, trust: options.trust, at })
      const problems = checks.filter(({ result }) => result !== 'pass')
      return ok
        ? { result: 'pass', detail: `Entry ${logged.index}: ${subject}` }
        : fail(problems.map(({ title, detail }) => `${title}: ${detail}`).join('; '))
    } catch (error) {
      if (!(error instanceof AttestError) || isOurs(error)) throw error
      return fail('the log’s answer cannot be read')
    }
  }
}

/** A trust or a moment that is none says nothing about the log: its answer may be good. */
function isOurs({ code, place }: AttestError): boolean {
  return code === 'BAD_ARGUMENT' && ['trust', 'trust.quorum', 'options.at'].includes(place)
}

function fail(detail: string): LogAnswer {
  return { result: 'fail', detail }
}
