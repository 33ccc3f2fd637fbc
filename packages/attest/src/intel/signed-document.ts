import { needText } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { integer, isoText, list, oneOf, optional, type Reader, record, text } from '../shape/shape.js'
import type { IsvLevel } from './collateral.js'
import type { TcbStatus } from './tcb-status.js'

/** A document as the PCS serves it: the exact text of the inner document is what is signed. */
export interface Envelope {
  readonly json: unknown
  readonly signed: Uint8Array
  /** 64 bytes, r || s. */
  readonly signature: Uint8Array
}

/** An error about a field of Intel's collateral. */
export function badCollateral(place: string, what: string, cause?: unknown): AttestError {
  return new AttestError('BAD_COLLATERAL', place, `Unusable collateral: ${what}`, { cause })
}

/**
 * Opens `{"<name>":{...},"signature":"<128 hex>"}`. The envelope must be byte for byte as Intel serves it, since only the inner
 * document is signed.
 *
 * @throws AttestError `BAD_COLLATERAL`
 */
export function openEnvelope(response: string, name: string): Envelope {
  needText(response, name)
  const head = `{"${name}":`
  const tail = /,"signature":"([0-9a-f]{128})"\}$/.exec(response.slice(-145))
  if (response.length > 1 << 20 || !response.startsWith(head) || tail?.[1] === undefined) {
    const form = `{"${name}":{...},"signature":"<128 hex>"}`
    throw badCollateral(name, `the response is not exactly ${form} as the PCS serves it`)
  }
  const signature = Uint8Array.from(tail[1].match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  const body = response.slice(head.length, response.length - tail[0].length)
  try {
    return { json: JSON.parse(body), signed: new TextEncoder().encode(body), signature }
  } catch (cause) {
    throw badCollateral(name, 'it is not JSON', cause)
  }
}

/** Hex of a fixed number of bytes in either case, read as lower case. */
export function hexOf(bytes: number): Reader<string> {
  const read = text({ pattern: new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`), what: `hex of ${bytes} bytes` })
  return (value, place) => read(value, place).toLowerCase()
}

/** A security version number. */
export const svn: Reader<number> = /* @__PURE__ */ integer(0, 0xffff)

/** Time as Intel writes it. */
export const time: Reader<string> = /* @__PURE__ */ isoText('time')

/** Fields that every dated document has. */
export const dated = {
  issueDate: time,
  nextUpdate: time,
  tcbEvaluationDataNumber: /* @__PURE__ */ integer(0, 0xffffffff),
}

/** Fields of a level that say what it means. */
export const levelMeaning = {
  tcbDate: time,
  tcbStatus: /* @__PURE__ */ oneOf<TcbStatus>([
    'UpToDate',
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
    'Revoked',
  ]),
  advisoryIDs: /* @__PURE__ */ optional(
    /* @__PURE__ */ list(/* @__PURE__ */ text({ max: 64 }), { max: 1000 }),
  ),
}

/** As {@link levelMeaning} reads it. */
export interface LevelMeaning {
  tcbDate: string
  tcbStatus: TcbStatus
  advisoryIDs?: string[]
}

const rawIsvLevel = /* @__PURE__ */ (() =>
  record<LevelMeaning & { tcb: { isvsvn: number } }>(
    { tcb: /* @__PURE__ */ record<{ isvsvn: number }>({ isvsvn: svn }, 'drop'), ...levelMeaning },
    'drop',
  ))()

const isvLevel: Reader<IsvLevel> = (value, place) => {
  const { tcb, tcbStatus, tcbDate, advisoryIDs = [] } = rawIsvLevel(value, place)
  return { isvSvn: tcb.isvsvn, status: tcbStatus, tcbDate, advisories: advisoryIDs }
}

/** Levels of an enclave or of a TDX module. */
export const isvLevels: Reader<IsvLevel[]> = /* @__PURE__ */ list(isvLevel, { min: 1, max: 1000 })
