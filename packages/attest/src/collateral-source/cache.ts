import { bytesToHex } from '@noble/hashes/utils.js'
import { needBytes, needBytesList, needText } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { type Collateral, parseCollateral } from '../intel/collateral.js'
import { withPlatformSignatures } from '../platform.js'
import { amdName, type CollateralBundle } from './bundle.js'
import {
  type AmdMaterial,
  type AmdRequest,
  type CollateralPort,
  type IntelRequest,
  unavailable,
} from './port.js'
import { verifyBundle } from './verify-bundle.js'

/** How a cache behaves. */
export interface CacheOptions {
  /** The clock; replaced in tests. */
  readonly now?: () => number
  /** Seconds before the earliest next update at which to fetch anew; one day when absent. */
  readonly refreshBefore?: number
  /** Most entries of each kind; 1000 when absent. The oldest goes first. */
  readonly maximumEntries?: number
  /** Roots trusted besides the vendors', as for `verifyQuote`: what does not end in one of them is not kept, and not given. */
  readonly trustedRoots?: readonly `sha256:${string}`[]
}

const hex = (bytes: Uint8Array) => `0x${bytesToHex(bytes)}` as const

interface Entry<T> {
  readonly value: T
  /** Unix seconds after which it is stale. */
  readonly until: number
}

/** Whatever a source gives that is none. */
function copied<T>(given: T, copyOf: (value: T) => T): T {
  try {
    return copyOf(given)
  } catch (cause) {
    throw unavailable('cache', 'what the source gave is none', cause)
  }
}

/**
 * Copies of requests, field by field: frameworks hand around proxies, and objects with methods, that are requests too. A caller's own may
 * become another one while the source is asked, and the source may change what it gets.
 */
const intelAsked = ({ tee, fmspc, ca }: IntelRequest): IntelRequest => {
  for (const one of [tee, fmspc, ca]) needText(one, 'request')
  return { tee, fmspc, ca }
}
const amdAsked = ({ line, hwid, tcb }: AmdRequest): AmdRequest => {
  for (const one of [line, hwid]) needText(one, 'request')
  const { fmc, bootloader, tee, snp, microcode } = tcb
  const levels = { ...(fmc === undefined ? {} : { fmc }), bootloader, tee, snp, microcode }
  if (!Object.values(levels).every(Number.isSafeInteger)) throw new TypeError('A level of the TCB is missing')
  return { line, hwid, tcb: levels }
}

function asked<T>(given: T, askedOf: (request: T) => T): T {
  try {
    return askedOf(given)
  } catch (cause) {
    throw new AttestError('BAD_ARGUMENT', 'request', 'A request for collateral is expected', { cause })
  }
}

/** Copies: what a source keeps, or a caller gets, must not be able to change what is kept here. */
const intelCopy = (given: Collateral): Collateral => Object.freeze(parseCollateral(given))
const amdCopy = ({ certificates, crl }: AmdMaterial): AmdMaterial => {
  // Arrays of bytes cannot be frozen.
  needBytes(crl, 'crl')
  needBytesList(certificates, 'certificates')
  return { certificates: certificates.map((one) => Uint8Array.from(one)), crl: Uint8Array.from(crl) }
}

/**
 * Remembers what a source gave until shortly before it goes stale, asks once when several ask at the same time, and goes on
 * with what it has when the source is away, or gives what is worth nothing, and it is not stale yet. Everything is verified before
 * it is kept: what is stale, of no trusted root, or about another platform is never given, and replaces nothing. It is kept until the
 * first of its parts goes stale, certificates included. What is given for AMD must hold the chip's own certificate: a cloud provider's
 * (VLEK) names no chip, and no request asks for it.
 *
 * @param source the one to ask
 * @param options how long and how much to keep
 * @returns a source that asks the other one only for what it does not hold; Intel's collateral is frozen, AMD's is a copy for each
 *   caller
 * @throws AttestError `BAD_ARGUMENT` for what is no source, a negative `refreshBefore`, or a number of entries below one
 */
export function cachedCollateral(source: CollateralPort, options: CacheOptions = {}): CollateralPort {
  if (typeof source?.intel !== 'function' || typeof source.amd !== 'function')
    throw new AttestError('BAD_ARGUMENT', 'source', 'A source of collateral is expected')
  const { now = Date.now, refreshBefore = 86_400, maximumEntries = 1000, trustedRoots = [] } = options
  if (typeof refreshBefore !== 'number' || !(refreshBefore >= 0))
    throw new AttestError('BAD_ARGUMENT', 'options.refreshBefore', 'Seconds, at least 0, are expected')
  if (!Number.isSafeInteger(maximumEntries) || maximumEntries < 1)
    throw new AttestError(
      'BAD_ARGUMENT',
      'options.maximumEntries',
      'A whole number of at least 1 is expected',
    )
  const cache = <Request, T>(
    askedOf: (request: Request) => Request,
    nameOf: (request: Request) => string,
    fetchOne: (request: Request) => Promise<T>,
    copyOf: (value: T) => T,
    entryOf: (request: Request, value: T) => Partial<CollateralBundle>,
  ) => {
    const entries = new Map<string, Entry<T>>()
    const open = new Map<string, Promise<T>>()
    const load = async (name: string, request: Request): Promise<T> => {
      const value = copied(await fetchOne(askedOf(request)), copyOf)
      const bundle: CollateralBundle = {
        format: 'sealpool/collateral-bundle',
        version: 1,
        intel: [],
        amd: [],
        ...entryOf(request, value),
      }
      const [verdict] = verifyBundle(bundle, {
        ...withPlatformSignatures({}),
        at: new Date(now()),
        trustedRoots,
      })
      const wrong = verdict?.checks.find(({ result }) => result !== 'pass')
      if (wrong !== undefined) throw unavailable('cache', `the source’s is not usable: ${wrong.detail}`)
      entries.delete(name)
      if (entries.size >= maximumEntries) entries.delete(entries.keys().next().value ?? '')
      entries.set(name, { value, until: Date.parse(verdict?.nextUpdate ?? '') / 1000 })
      return value
    }
    return async (given: Request): Promise<T> => {
      const request = asked(given, askedOf)
      const name = nameOf(request)
      const known = entries.get(name)
      const give = ({ value }: Pick<Entry<T>, 'value'>) => (Object.isFrozen(value) ? value : copyOf(value))
      const seconds = now() / 1000
      if (known !== undefined && seconds < known.until - refreshBefore) return give(known)
      const pending = open.get(name) ?? load(name, request).finally(() => open.delete(name))
      open.set(name, pending)
      try {
        return give({ value: await pending })
      } catch (error) {
        // Asked again: the source may have taken longer to fail than the entry had left.
        if (known !== undefined && now() / 1000 < known.until) return give(known)
        throw error
      }
    }
  }
  return {
    intel: cache(
      intelAsked,
      ({ tee, fmspc, ca }) => `${tee}/${fmspc}/${ca}`,
      (request) => source.intel(request),
      intelCopy,
      (request, given) => ({ intel: [{ ...request, collateral: given }] }),
    ),
    amd: cache(
      amdAsked,
      amdName,
      (request) => source.amd(request),
      amdCopy,
      (request, { certificates, crl }) => ({
        amd: [{ name: amdName(request), certificates: certificates.map(hex), crl: hex(crl) }],
      }),
    ),
  }
}
