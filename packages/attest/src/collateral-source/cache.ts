import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { parseRevocationList } from '../encoding/crl.js'
import { type Collateral, parseCollateral } from '../intel/collateral.js'
import { parseQeIdentity } from '../intel/qe-identity.js'
import { parseTcbInfo } from '../intel/tcb-info.js'
import { withPlatformSignatures } from '../platform.js'
import { amdName, type CollateralBundle } from './bundle.js'
import { type AmdMaterial, type CollateralPort, unavailable } from './port.js'
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

/** The earliest moment (unix seconds) at which a part of the collateral goes stale. */
function intelNextUpdate(collateral: Collateral): number {
  const { tcbInfo, qeIdentity, rootCaCrl, pckCrl } = parseCollateral(collateral)
  const list = (hex: string) => parseRevocationList(hexToBytes(hex.slice(2))).nextUpdate
  const document = (date: string) => Date.parse(date) / 1000
  return Math.min(
    document(parseTcbInfo(tcbInfo).value.nextUpdate),
    document(parseQeIdentity(qeIdentity).value.nextUpdate),
    list(rootCaCrl),
    list(pckCrl),
  )
}

/**
 * Remembers what a source gave until shortly before it goes stale, asks once when several ask at the same time, and goes on
 * with what it has when the source is away, or gives what is worth nothing, and it is not stale yet. Everything is verified before
 * it is kept: what is stale, of no trusted root, or about another platform is never given, and replaces nothing.
 *
 * @param source the one to ask
 * @param options how long and how much to keep
 * @returns a source that asks the other one only for what it does not hold
 */
export function cachedCollateral(source: CollateralPort, options: CacheOptions = {}): CollateralPort {
  const { now = Date.now, refreshBefore = 86_400, maximumEntries = 1000, trustedRoots = [] } = options
  const cache = <Request, T>(
    nameOf: (request: Request) => string,
    fetchOne: (request: Request) => Promise<T>,
    untilOf: (value: T) => number,
    entryOf: (request: Request, value: T) => Partial<CollateralBundle>,
  ) => {
    const entries = new Map<string, Entry<T>>()
    const open = new Map<string, Promise<T>>()
    const load = async (name: string, request: Request): Promise<T> => {
      const value = await fetchOne(request)
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
      entries.set(name, { value, until: untilOf(value) })
      return value
    }
    return async (request: Request): Promise<T> => {
      const name = nameOf(request)
      const known = entries.get(name)
      const seconds = now() / 1000
      if (known !== undefined && seconds < known.until - refreshBefore) return known.value
      const pending = open.get(name) ?? load(name, request).finally(() => open.delete(name))
      open.set(name, pending)
      try {
        return await pending
      } catch (error) {
        if (known !== undefined && seconds < known.until) return known.value
        throw error
      }
    }
  }
  return {
    intel: cache(
      ({ tee, fmspc, ca }) => `${tee}/${fmspc}/${ca}`,
      (request) => source.intel(request),
      intelNextUpdate,
      (request, given) => ({ intel: [{ ...request, collateral: given }] }),
    ),
    amd: cache(
      amdName,
      (request) => source.amd(request),
      ({ crl }: AmdMaterial) => parseRevocationList(crl).nextUpdate,
      (request, { certificates, crl }) => ({
        amd: [{ name: amdName(request), certificates: certificates.map(hex), crl: hex(crl) }],
      }),
    ),
  }
}
