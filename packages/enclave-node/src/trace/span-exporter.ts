import { NodeError } from '../errors.js'
import { otlpSpans } from './otlp-spans.js'
import type { Span } from './span.js'

/** Spans in one call. */
const batch = 500
/** Spans that wait; what comes above that is forgotten: a collector that is down must not fill the memory. */
const waitingLimit = 5_000

/** Keeps spans until they are sent. */
export interface SpanExporter {
  take(span: Span): void
  /**
   * Sends what waits.
   * @returns false: whoever calls waits for the next point of the grid, so that the time of a call tells nothing of a step
   * @throws NodeError `TRACE_NOT_SENT`; what was not sent waits on
   */
  send(): Promise<boolean>
}

/** @param post sends one body to the collector, and answers with its status */
export function spanExporter(post: (body: string) => Promise<number>): SpanExporter {
  const waiting: Span[] = []
  return {
    take(span) {
      if (waiting.length < waitingLimit) waiting.push(span)
    },
    async send() {
      while (waiting.length > 0) {
        const spans = waiting.slice(0, batch)
        const status = await post(JSON.stringify(otlpSpans(spans))).catch((cause: unknown) => {
          throw notSent('the collector gave no answer', cause)
        })
        const taken = status >= 200 && status < 300
        // Refused as they are: they would be refused again.
        if (taken || status === 400) waiting.splice(0, spans.length)
        if (!taken) throw notSent(`the collector answered ${status}`)
      }
      return false
    },
  }
}

function notSent(why: string, cause?: unknown): NodeError {
  return new NodeError('TRACE_NOT_SENT', 'trace.url', `${why}; see that it takes OTLP over HTTP as JSON`, {
    cause,
  })
}
