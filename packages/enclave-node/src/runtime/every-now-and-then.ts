import type { JobContext } from '../job/job-context.js'
import type { NodeLogger } from './logger.js'

/**
 * Repeats work on a timer. One that fails is logged and comes again; a silent hour would cost the node the job.
 * @param intervalMs milliseconds between two beats
 * @param log where failures go
 * @returns starts it, and gives what ends it
 */
export function everyNowAndThen(intervalMs: number, log: NodeLogger): JobContext['keepAlive'] {
  return (beat) => {
    const timer = setInterval(() => {
      beat().catch((error: unknown) => log.warn({ err: error }, 'a sign of life was not sent'))
    }, intervalMs)
    return () => clearInterval(timer)
  }
}
