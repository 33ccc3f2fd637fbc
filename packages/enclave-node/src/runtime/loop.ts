import type { NodeLogger } from './logger.js'

/** Work that is done again and again until it is stopped. */
export interface Loop {
  /** Ends the present wait. */
  wake(): void
  /** The error of the last round, if it failed. */
  lastError(): unknown
  /** Stops after the present round and waits for it. */
  stop(): Promise<void>
}

/**
 * Runs `round` until stopped. A round that did something is followed at once by the next; one that found nothing waits
 * `pollMs`; one that failed waits longer each time, up to 30 s.
 * @param name for the log
 * @param round answers whether anything was done
 */
export function startLoop(options: {
  readonly name: string
  readonly pollMs: number
  readonly log: NodeLogger
  readonly round: () => Promise<boolean>
}): Loop {
  const { name, pollMs, log, round } = options
  let stopped = false
  let failures = 0
  let last: unknown
  /** Ends the present wait; undefined while a round runs. */
  let endWait: (() => void) | undefined
  let woken = false

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (woken || stopped) {
        woken = false
        resolve()
        return
      }
      const end = () => {
        clearTimeout(timer)
        endWait = undefined
        resolve()
      }
      const timer = setTimeout(end, ms)
      endWait = end
    })
  const run = async (): Promise<void> => {
    while (!stopped) {
      let busy = false
      try {
        busy = await round()
        failures = 0
        last = undefined
      } catch (error) {
        failures += 1
        last = error
        log.error({ err: error, loop: name, failures }, 'round failed; it is tried again')
      }
      if (!busy && !stopped) await wait(failures === 0 ? pollMs : Math.min(pollMs * 2 ** failures, 30_000))
    }
  }
  const running = run()
  const wake = (): void => {
    if (endWait === undefined) woken = true
    else endWait()
  }
  return {
    wake,
    lastError: () => last,
    async stop() {
      stopped = true
      wake()
      await running
    },
  }
}
