import { type Address, encodeHex, type JsonObject } from '@sealpool/crypto'
import { recoverSigner } from '../../signature/ethereum.js'
import { type TypedDataTypes, typedDataHash, typedMemberWord } from '../../signature/typed-data.js'
import { failed, finding, passed, verdictOf } from '../finding.js'
import { isObject } from '../json-object.js'
import { runSteps } from '../run-steps.js'
import { hashSet, type SignedFinding, withSignedContent } from '../signed-content.js'
import type { WorkMeter } from '../verification-budget.js'

/** Devices whose signatures count, and the type of what they sign. */
export interface DeviceSource {
  readonly domain: JsonObject
  readonly types: TypedDataTypes
  readonly primaryType: string
  readonly devices: readonly { readonly name: string; readonly address: Address }[]
  /**
   * Member of the message that must not stand twice, a counter or a time for example, compared as it is signed. Without it, no two
   * records may be the same as a whole.
   */
  readonly uniqueBy?: string
}

const MOST_RECORDS = 10_000

/**
 * Verifies records that devices signed as EIP-712 typed data: a JSON object of exactly `records`, each `{ message, signature }`. All
 * of them must hold, and be of one device, because a contribution is one device's.
 *
 * @param options `file`: the parsed export; `source`; `work`: what it costs is taken off
 * @returns the finding on all records together; `signer` is the device's name in `source` when authentic, otherwise null
 */
export function verifyDeviceRecords(options: DeviceRecords): SignedFinding {
  return runSteps(deviceSteps(options))
}

interface DeviceRecords {
  readonly file: JsonObject
  readonly source: DeviceSource
  readonly work?: WorkMeter | undefined
}

/** The same a record at a time, for whoever has other things to do meanwhile. */
export function* deviceSteps(options: DeviceRecords): Generator<void, SignedFinding> {
  const { records, ...others } = options.file
  const { source, work } = options
  const stop = (reason: string): SignedFinding => ({
    ...finding('device-record', [failed('syntax', reason)], null),
    signedContent: undefined,
  })
  if (!Array.isArray(records) || records.length === 0 || Object.keys(others).length > 0) {
    return stop('NOT_SIGNED')
  }
  // Each takes about a millisecond.
  if (records.length > MOST_RECORDS) return stop('TOO_MANY_RECORDS')
  const signers = new Set<string | undefined>()
  const values = new Set<string>()
  const hashes: Uint8Array[] = []
  for (const record of records as unknown[]) {
    if (!isObject(record) || !isObject(record['message']) || Object.keys(record).length !== 2) {
      return stop('RECORD_DOES_NOT_FIT')
    }
    const { message, signature } = record
    const data = { ...source, message: message as JsonObject }
    const hash = typedDataHash(data)
    const value = source.uniqueBy === undefined ? hash : typedMemberWord(data, source.uniqueBy)
    if (hash === undefined || value === undefined) return stop('RECORD_DOES_NOT_FIT')
    work?.({ signatures: 1 })
    signers.add(recoverSigner(hash, signature))
    hashes.push(hash)
    values.add(encodeHex(value))
    yield
  }
  const [signer] = signers
  const device = source.devices.find(({ address }) => address.toLowerCase() === signer)
  const found = finding(
    'device-record',
    [
      passed('syntax'),
      verdictOf('one-device', signers.size === 1, 'SEVERAL_SIGNERS'),
      verdictOf('signature', device !== undefined, 'UNKNOWN_DEVICE'),
      verdictOf('unique', values.size === records.length, 'RECORD_REPEATED'),
    ],
    device?.name ?? null,
  )
  const signed = withSignedContent(found, () => [hashSet(hashes)])
  return found.authentic ? { ...signed, statements: hashes } : signed
}
