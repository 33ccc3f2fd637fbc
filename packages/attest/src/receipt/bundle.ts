import { CryptoError, type Digest, type JsonValue, parseCanonical, parseDigest } from '@sealpool/crypto'
import { isBytes } from '../encoding/is-bytes.js'
import { AttestError } from '../errors.js'
import type { VerifyReceiptOptions } from './verify.js'

/** The files of a receipt bundle, read and in canonical form: what {@link VerifyReceiptOptions} needs besides trust and time. */
export type ReceiptBundle = Pick<
  VerifyReceiptOptions,
  | 'receipt'
  | 'evidence'
  | 'policies'
  | 'manifest'
  | 'plan'
  | 'result'
  | 'sealedResult'
  | 'verdicts'
  | 'shares'
>

const perPool = /^(policy|verdicts)-(0x[0-9a-fA-F]{40})\.json$/

/** Names of the files that stand alone in a bundle. */
const single = [
  'shares.json',
  'receipt.json',
  'evidence.json',
  'manifest.json',
  'plan.json',
  'result.json',
  'result.sealed',
]

/**
 * Whether a file name belongs to a receipt bundle.
 *
 * @param name without folder
 * @returns whether a bundle may have a file of this name
 */
export function isBundleFile(name: string): boolean {
  return single.includes(name) || perPool.test(name)
}

/**
 * Reads a receipt bundle from its files: `receipt.json`, `evidence.json`, `policy-<pool>.json`, `manifest.json`, `plan.json`,
 * `result.json` (the opened result), `result.sealed`, `shares.json` (a list: what other homes have signed), `verdicts-<pool>.json`. JSON files must be canonical (RFC 8785), so that
 * no byte can be changed without notice; the result is taken as bytes.
 *
 * @param files by name; names that do not belong to a bundle are refused
 * @returns the bundle; what is absent stays absent
 * @throws AttestError `BAD_RECEIPT`; its place is the file
 */
export function parseReceiptBundle(files: Readonly<Record<string, Uint8Array>>): ReceiptBundle {
  if (typeof files !== 'object' || files === null)
    throw new AttestError('BAD_RECEIPT', 'bundle', 'Files by name are expected')
  const policies: JsonValue[] = []
  const verdicts: Record<string, Digest[]> = {}
  for (const [name, bytes] of Object.entries(files)) {
    if (!isBytes(bytes)) throw new AttestError('BAD_RECEIPT', name, 'Bytes are expected')
    const match = perPool.exec(name)
    if (match?.[1] === 'policy') policies.push(canonical(name, bytes))
    else if (match?.[2] !== undefined) {
      const pool = match[2].toLowerCase()
      if (Object.hasOwn(verdicts, pool))
        throw new AttestError('BAD_RECEIPT', name, 'There are two files of this pool')
      verdicts[pool] = digests(name, canonical(name, bytes))
    } else if (!single.includes(name)) {
      throw new AttestError('BAD_RECEIPT', name, 'This file does not belong to a receipt bundle')
    }
  }
  const json = (name: string) => {
    const bytes = files[name]
    return bytes === undefined ? undefined : canonical(name, bytes)
  }
  const [evidence, manifest, plan] = [json('evidence.json'), json('manifest.json'), json('plan.json')]
  const shares = json('shares.json')
  if (shares !== undefined && !Array.isArray(shares))
    throw new AttestError('BAD_RECEIPT', 'shares.json', 'A list of signed statements is expected')
  const [result, sealedResult] = [files['result.json'], files['result.sealed']]
  return {
    receipt: json('receipt.json'),
    policies,
    verdicts,
    ...(evidence === undefined ? {} : { evidence }),
    ...(manifest === undefined ? {} : { manifest }),
    ...(plan === undefined ? {} : { plan }),
    ...(shares === undefined ? {} : { shares }),
    ...(result === undefined ? {} : { result }),
    ...(sealedResult === undefined ? {} : { sealedResult }),
  }
}

function canonical(name: string, bytes: Uint8Array): JsonValue {
  try {
    return parseCanonical(bytes, name)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new AttestError('BAD_RECEIPT', name, cause.message, { cause })
  }
}

function digests(name: string, json: JsonValue): Digest[] {
  const bad = () => new AttestError('BAD_RECEIPT', name, 'A list of digests is expected')
  if (!Array.isArray(json)) throw bad()
  return json.map((value: JsonValue) => {
    try {
      return parseDigest(value)
    } catch (cause) {
      if (cause instanceof CryptoError) throw bad()
      throw cause
    }
  })
}
