import { hexToBytes } from '@noble/hashes/utils.js'
import { parseRevocationList } from '../encoding/crl.js'
import { type Collateral, parseCollateral } from '../intel/collateral.js'
import { parseQeIdentity } from '../intel/qe-identity.js'
import { parseTcbInfo } from '../intel/tcb-info.js'
import { amdName } from './bundle.js'
import type { AmdMaterial, CollateralPort } from './port.js'

/** How a cache behaves. */
export interface CacheOptions {
  /** The clock; replaced in tests. */
  readonly now?: () => number
  /** Seconds before the earliest next update at which to fetch anew; one day when absent. */
  readonly refreshBefore?: number
  /** Most entries of each kind; 1000 when absent. The oldest goes first. */
  readonly maximumEntries?: number
}

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
 * with what it has when the source is away and it is not stale yet. Stale collateral is never given.
 *
 * @param source the one to ask
 * @param options how long and how much to keep
 * @returns a source that asks the other one only for what it does not hold
 */
export function cachedCollateral(source: CollateralPort, options: CacheOptions = {}): CollateralPort {
  const { now = Date.now, refreshBefore = 86_400, maximumEntries = 1000 } = options
  const cache = <Request, T>(
    nameOf: (request: Request) => string,
    fetchOne: (request: Request) => Promise<T>,
    untilOf: (value: T) => number,
  ) => {
    const entries = new Map<string, Entry<T>>()
    const open = new Map<string, Promise<T>>()
    const load = async (name: string, request: Request): Promise<T> => {
      const value = await fetchOne(request)
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
    ),
    amd: cache(
      amdName,
      (request) => source.amd(request),
      ({ crl }: AmdMaterial) => parseRevocationList(crl).nextUpdate,
    ),
  }
}
