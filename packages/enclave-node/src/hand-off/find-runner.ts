/**
 * Looks for nodes that may run a job: all are asked side by side, since any of them may be silent.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { NodeError, type NodeErrorCode } from '../errors.js'
import { JobPutOff } from '../job/job-refusal.js'
import type { HandOffVisit } from './hand-off-visit.js'
import type { Reached } from './runner-lines.js'

/** Nothing came through: the other node is away, or somebody stands in the way. */
export const silence: readonly NodeErrorCode[] = ['NODE_UNREACHABLE', 'PEER_ANSWER_INVALID']
/** The other node is not what it has to be, or said what it may not. */
export const faults: readonly NodeErrorCode[] = [
  'PEER_NOT_ATTESTED',
  'PEER_GPUS_NOT_PROVED',
  'HAND_OFF_REFUSED',
]

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

/** What a search for one has come to. */
export type FoundRunner = { readonly url: string } | { readonly url: undefined; readonly cause: unknown }

/** What a search for several has come to. */
export interface FoundRunners {
  /** Each another node, in the order of the addresses; fewer than were wanted when there are no more. */
  readonly found: readonly Reached[]
  /** Why one was not found, where one was not. */
  readonly cause: unknown
}

/** @returns that a job waits, since the nodes that it needs are not there */
export function waitsForNodes(cause?: unknown): JobPutOff {
  const text = 'no attested node runs the job at the moment; the next one is asked'
  return new JobPutOff('HAND_OFF_WAITS', text, cause)
}

/** @returns searches for nodes that are attested and that the manifest names; they throw what is no fault of a node */
export function runnerSearch({ reach, enough, now, onError }: FindRunnerOptions) {
  const silentUntil = new Map<string, number>()
  type Asked = Pick<HandOffVisit, 'manifest' | 'planned'>

  /**
   * Asks all side by side.
   * @param take what is done with a node that answered; true: no more are wanted
   * @returns why one did not answer, once no more are wanted, all have answered, or it is enough
   */
  const askAll = async (
    urls: readonly string[],
    asked: Asked,
    take: (url: string, reached: Reached) => boolean,
  ): Promise<unknown> => {
    const open = new Set(urls.filter((url) => (silentUntil.get(url) ?? 0) <= now()))
    let cause: unknown
    let own: { readonly error: unknown } | undefined
    const noteSilent = (url: string) => silentUntil.set(url, now() + silentSeconds)
    const asks = [...open].map(async (url) => {
      try {
        const reached = await reach(url, asked)
        silentUntil.delete(url)
        return take(url, reached)
      } catch (error) {
        if (error instanceof NodeError && [...silence, ...faults].includes(error.code)) {
          cause = error
          if (silence.includes(error.code)) noteSilent(url)
          onError(error)
        } else own ??= { error }
        return false
      } finally {
        open.delete(url)
      }
    })
    const whole = new Promise<boolean>((resolve) => {
      const each = asks.map((ask) => ask.then((last) => (last ? resolve(true) : undefined)))
      Promise.all(each).then(() => resolve(false))
    })
    if (await Promise.race([whole, enough().then(() => false)])) return cause
    if (own !== undefined) throw own.error
    for (const one of open) noteSilent(one)
    return cause
  }

  return {
    /** @returns the first node that answers */
    async one(urls: readonly string[], asked: Asked): Promise<FoundRunner> {
      let first: string | undefined
      const cause = await askAll(urls, asked, (url) => {
        first ??= url
        return true
      })
      return first === undefined ? { url: undefined, cause } : { url: first }
    },
    /** @param wanted how many, @param without statement keys of nodes that are not among them @returns the first that answer */
    async several(
      urls: readonly string[],
      asked: Asked,
      wanted: number,
      without: readonly Address[],
    ): Promise<FoundRunners> {
      const found = new Map<Address, { readonly place: number; readonly reached: Reached }>()
      const cause = await askAll(urls, asked, (url, reached) => {
        const { statementAddress } = reached.peer
        // One node may have two addresses.
        const counts =
          found.size < wanted && !found.has(statementAddress) && !without.includes(statementAddress)
        if (counts) found.set(statementAddress, { place: urls.indexOf(url), reached })
        return found.size === wanted
      })
      const inOrder = [...found.values()].sort((one, other) => one.place - other.place)
      return { found: inOrder.map(({ reached }) => reached), cause }
    },
  }
}
