import type { Span } from './span.js'

/** OTLP's number for a span inside one process. */
const kindInternal = 1

/** @returns the body of a call of `/v1/traces` of OTLP over HTTP, in its JSON form */
export function otlpSpans(spans: readonly Span[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'sealpool-node' }) },
        scopeSpans: [
          {
            scope: { name: '@sealpool/enclave-node' },
            spans: spans.map(({ name, traceId, spanId, start, end, attributes }) => ({
              traceId,
              spanId,
              name,
              kind: kindInternal,
              startTimeUnixNano: nanoseconds(start),
              endTimeUnixNano: nanoseconds(end),
              attributes: attributesOf(attributes),
            })),
          },
        ],
      },
    ],
  }
}

function attributesOf(attributes: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }))
}

/** 64-bit numbers are texts in this form. */
function nanoseconds(seconds: number): string {
  return `${BigInt(seconds) * 1_000_000_000n}`
}
