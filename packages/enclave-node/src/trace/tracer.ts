import { digestOf, encodeHex } from '@sealpool/crypto'
import { type Span, type SpanName, type StepFacts, spanAttributes } from './span.js'

/** Notes steps. */
export interface Tracer {
  /**
   * Does a step and notes it, however it ends.
   * @param facts may be asked for after the step
   */
  step<T>(name: SpanName, facts: StepFacts | (() => StepFacts), act: () => Promise<T>): Promise<T>
}

/** What a tracer needs. */
export interface TracerOptions {
  /** What tells this chain's jobs and pools from those of others. */
  readonly scope: { readonly chainId: number; readonly registry: string }
  /** Seconds between points of the grid on which times stand. */
  readonly gridSeconds: number
  /** Unix seconds. */
  readonly now: () => number
  readonly random: (length: number) => Uint8Array
  readonly take: (span: Span) => void
}

/** Makes a tracer. */
export function openTracer({ scope, gridSeconds, now, random, take }: TracerOptions): Tracer {
  const grid = (time: number): number => Math.floor(time / gridSeconds) * gridSeconds
  return {
    async step(name, facts, act) {
      const start = grid(now())
      try {
        return await act()
      } finally {
        const said = typeof facts === 'function' ? facts() : facts
        const attributes = spanAttributes(said)
        const { 'sealpool.job': job, 'sealpool.pool': pool } = attributes
        const about = job === undefined ? pool && { pool } : { job }
        // Of what is about no job and no pool in the right form nothing is said at all.
        if (about) {
          take({
            name,
            // Nothing in it that is not public: nodes that share a job come to the same one.
            traceId: digestOf({ format: 'sealpool/trace', ...scope, ...about }).slice(7, 39),
            spanId: encodeHex(random(8)).replace(/^0x/, ''),
            start,
            end: grid(now()) + gridSeconds,
            attributes,
          })
        }
      }
    },
  }
}

/** Does a step, with a span where there is a tracer. */
export function traced<T>(
  tracer: Tracer | undefined,
  name: SpanName,
  facts: StepFacts,
  act: () => Promise<T>,
): Promise<T> {
  return tracer === undefined ? act() : tracer.step(name, facts, act)
}
