import { ContractsError } from '@sealpool/contracts'
import { ClientError } from '../errors.js'
import { BlobStoreError } from '../store/blob-store-error.js'
import { untilAborted } from '../until-aborted.js'

/** How patient a client is. */
export interface Patience {
  /** How often a step is tried while the outside world does not answer; default 3. */
  readonly attempts?: number
  /** Milliseconds before the second try; they double with each further one, up to 30 s; default 500. */
  readonly retryDelayMs?: number
}

const passingCodes: ReadonlySet<string> = new Set([
  'NODE_UNREACHABLE',
  'CHAIN_READ_FAILED',
  'CHAIN_UNREACHABLE',
  'TRANSACTION_TIMEOUT',
  'BLOB_STORE_FAILED',
])

/** Whether a failure may pass when the same is tried again. */
export function mayPass(error: unknown): boolean {
  const typed =
    error instanceof ClientError || error instanceof ContractsError || error instanceof BlobStoreError
  return typed && passingCodes.has(error.code)
}

/**
 * Tries work again while its failure may pass, with growing pauses.
 *
 * @param work must be safe to begin again
 * @param options.wait how to wait
 * @param options.passes whether a failure may pass; default {@link mayPass}
 * @returns what the work gave
 * @throws the last failure; the signal's reason
 */
export async function withRetries<Result>(
  work: () => Promise<Result>,
  options: Patience & {
    readonly wait: (milliseconds: number) => Promise<void>
    readonly signal?: AbortSignal | undefined
    readonly passes?: (error: unknown) => boolean
  },
): Promise<Result> {
  const { attempts = 3, retryDelayMs = 500, wait, signal, passes = mayPass } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (attempt >= attempts || !passes(error)) throw error
      await untilAborted(wait(Math.min(30_000, retryDelayMs * 2 ** (attempt - 1))), signal)
    }
  }
}
