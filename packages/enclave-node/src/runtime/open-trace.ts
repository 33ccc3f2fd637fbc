import type { ChainPort } from '../chain/chain-port.js'
import type { NodeConfig } from '../config/node-config.js'
import { platformNow, platformRandom } from '../platform.js'
import { spanExporter } from '../trace/span-exporter.js'
import { openTracer, type Tracer } from '../trace/tracer.js'
import type { NodeLogger } from './logger.js'
import { startLoop } from './loop.js'

/** Milliseconds for one answer of the collector. */
const timeoutMs = 10_000

/**
 * Opens the tracer that the settings name. Spans are sent once for each point of the grid; a collector that is away holds up nothing.
 * @returns the tracer, undefined when the settings name none, and what ends it: what waits then is forgotten
 */
export function openTrace(
  { trace }: Pick<NodeConfig, 'trace'>,
  { chainId, registry }: Pick<ChainPort, 'chainId' | 'registry'>,
  log: NodeLogger,
): { readonly tracer: Tracer | undefined; stop(): Promise<void> } {
  if (trace === null) return { tracer: undefined, stop: async () => undefined }
  const exporter = spanExporter((body) => postSpans(trace.url, body))
  const loop = startLoop({
    name: 'trace',
    pollMs: trace.gridSeconds * 1000,
    log,
    round: () => exporter.send(),
  })
  return {
    tracer: openTracer({
      scope: { chainId, registry: registry.toLowerCase() },
      gridSeconds: trace.gridSeconds,
      now: platformNow,
      random: platformRandom,
      take: (span) => exporter.take(span),
    }),
    stop: () => loop.stop(),
  }
}

/** @returns the collector's status; what it says besides is nobody's */
async function postSpans(url: string, body: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  })
  await response.body?.cancel()
  return response.status
}
