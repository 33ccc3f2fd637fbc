import { type Logger, pino } from 'pino'

/** Structured log lines on standard error. Standard output belongs to the line that says where the node listens. */
export type NodeLogger = Logger

/** Names under which a secret could come into a line. */
const secretFields = [
  'privateKey',
  'secret',
  'transactionKey',
  'databaseUrl',
  'plaintext',
  'token',
  'signature',
  'authorization',
  'cookie',
  'body',
]

/**
 * Makes the node's logger. Fields that could hold a secret are cut out by name, as a second line behind the rule that
 * none is ever logged; errors are logged by code, place and message, which carry no private value.
 * @param options `level` as pino's; `simulated` stands on every line; `write` takes the lines instead of standard error
 * @returns a logger that writes JSON lines to standard error, each before its call returns
 */
export function nodeLogger(options: {
  readonly level: string
  readonly simulated: boolean
  readonly write?: (line: string) => void
}): NodeLogger {
  const { write } = options
  return pino(
    {
      level: options.level,
      base: { node: 'sealpool', simulated: options.simulated },
      redact: {
        paths: secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[redacted]',
      },
      serializers: { err: errorFields },
    },
    write === undefined ? pino.destination({ dest: 2, sync: true }) : { write },
  )
}

/** What of an error goes into a log: no stack, no cause (both may quote what a library was given). */
export function errorFields(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { type: typeof error }
  const fields: Record<string, string> = { type: error.name }
  if ('code' in error && typeof error.code === 'string') fields['code'] = error.code
  if ('place' in error && typeof error.place === 'string') fields['place'] = error.place
  // Only our own errors promise a message without private values.
  if ('code' in error && 'place' in error) fields['message'] = error.message
  else if (error.name === 'Error' || error.name === 'TypeError' || error.name === 'RangeError') {
    fields['at'] = /\(?([^()\s]+:\d+:\d+)\)?$/.exec(error.stack?.split('\n')[1] ?? '')?.[1] ?? 'unknown'
  }
  return fields
}
