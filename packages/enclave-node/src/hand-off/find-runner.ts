/**
 * Looks for a node that may run a job: all are asked side by side, since any of them may be silent.
 * @module
 */
import { NodeError, type NodeErrorCode } from '../errors.js'
import type { HandOffVisit } from './hand-off-visit.js'
import type { Reached } from './runner-lines.js'

/** Nothing came through: the other node is away, or somebody stands in the way. */
export const silence: readonly NodeErrorCode[] = ['NODE_UNREACHABLE', 'PEER_ANSWER_INVALID']
/** The other node is not what it has to be, or said what it may not. */
export const faults: readonly NodeErrorCode[] = ['PEER_NOT_ATTESTED', 'HAND_OFF_REFUSED']

/** Seconds for which a node that was silent is not looked for again. */
const silentSeconds = 60

/** What the search needs. */
export interface FindRunnerOptions {
  /** Attests a node now, and holds the manifest against it. */
  readonly reach: (url: string, asked: Pick<HandOffVisit, 'manifest' | 'planned'>) => Promise<Reached>
  /** Resolves when nodes that have not answered are waited for no longer: other jobs want their turn. */
  readonly enough: () => Promise<void>
  /** Unix seconds. */
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

/** What a search has come to. */
export type FoundRunner = { readonly url: string } | { readonly url: undefined; readonly cause: unknown }

/** @returns a search for the first of some nodes that is attested and that the manifest names; it throws what is no fault of a node */
export function runnerSearch({ reach, enough, now, onError }: FindRunnerOptions) {
  const silentUntil = new Map<string, number>()
  return async (
    urls: readonly string[],
    asked: Pick<HandOffVisit, 'manifest' | 'planned'>,
  ): Promise<FoundRunner> => {
    const open = new Set(urls.filter((url) => (silentUntil.get(url) ?? 0) <= now()))
    let cause: unknown
    let own: { readonly error: unknown } | undefined
    const noteSilent = (url: string) => silentUntil.set(url, now() + silentSeconds)
    const asks = [...open].map(async (url) => {
      try {
        await reach(url, asked)
        silentUntil.delete(url)
        return url
      } catch (error) {
        if (error instanceof NodeError && [...silence, ...faults].includes(error.code)) {
          cause = error
          if (silence.includes(error.code)) noteSilent(url)
          onError(error)
        } else own ??= { error }
        throw error
      } finally {
        open.delete(url)
      }
    })
    const first = Promise.any(asks).catch(() => undefined)
    const url = await Promise.race([first, enough().then(() => undefined)])
    if (url !== undefined) return { url }
    if (own !== undefined) throw own.error
    for (const one of open) noteSilent(one)
    return { url, cause }
  }
}
