import type { Address, JsonObject } from '@sealpool/crypto'
import { recoverSigner } from '../../signature/ethereum.js'
import { type TypedDataTypes, typedDataHash } from '../../signature/typed-data.js'
import { type AuthenticityFinding, failed, finding, passed, verdictOf } from '../finding.js'
import { isObject } from '../json-object.js'

/** Devices whose signatures count, and the type of what they sign. */
export interface DeviceSource {
  readonly domain: JsonObject
  readonly types: TypedDataTypes
  readonly primaryType: string
  readonly devices: readonly { readonly name: string; readonly address: Address }[]
  /** Member of the message that must not stand twice, a counter or a time for example: without it a record can be repeated. */
  readonly uniqueBy?: string
}

const MOST_RECORDS = 10_000

/**
 * Verifies records that devices signed as EIP-712 typed data: a JSON object of exactly `records`, each `{ message, signature }`. All
 * of them must hold, and be of one device, because a contribution is one device's.
 *
 * @param options `file`: the parsed export; `source`
 * @returns the finding on all records together; `signer` is the device's name in `source` when authentic, otherwise null
 */
export function verifyDeviceRecords(options: {
  readonly file: JsonObject
  readonly source: DeviceSource
}): AuthenticityFinding {
  const { records, ...others } = options.file
  const { source } = options
  if (!Array.isArray(records) || records.length === 0 || Object.keys(others).length > 0) {
    return finding('device-record', [failed('syntax', 'NOT_SIGNED')], null)
  }
  // Each takes about a millisecond.
  if (records.length > MOST_RECORDS) {
    return finding('device-record', [failed('syntax', 'TOO_MANY_RECORDS')], null)
  }
  const signers = new Set<string | undefined>()
  const values = new Set<string>()
  let fits = true
  for (const record of records as unknown[]) {
    if (!isObject(record) || !isObject(record['message']) || Object.keys(record).length !== 2) {
      fits = false
      break
    }
    const { message, signature } = record
    const hash = typedDataHash({ ...source, message: message as JsonObject })
    if (hash === undefined) {
      fits = false
      break
    }
    signers.add(recoverSigner(hash, signature))
    if (source.uniqueBy !== undefined) {
      values.add(JSON.stringify((message as JsonObject)[source.uniqueBy] ?? null))
    }
  }
  if (!fits) return finding('device-record', [failed('syntax', 'RECORD_DOES_NOT_FIT')], null)
  const [signer] = signers
  const device = source.devices.find(({ address }) => address.toLowerCase() === signer)
  return finding(
    'device-record',
    [
      passed('syntax'),
      verdictOf('one-device', signers.size === 1, 'SEVERAL_SIGNERS'),
      verdictOf('signature', device !== undefined, 'UNKNOWN_DEVICE'),
      verdictOf('unique', source.uniqueBy === undefined || values.size === records.length, 'RECORD_REPEATED'),
    ],
    device?.name ?? null,
  )
}
