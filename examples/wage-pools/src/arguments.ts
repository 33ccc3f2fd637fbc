import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface DemoArguments {
  /** The folder that gets everything the demo writes. */
  readonly out: string
  /** A file that gets the summary as JSON. */
  readonly json: string | undefined
  /** How many of the 534 workers take part. */
  readonly workers: number
  /** The PostgreSQL server on which the node keeps its state; undefined: embedded. */
  readonly databaseUrl: string | undefined
}

export const usage = `usage: npm run demo -- [--out DIR] [--json FILE] [--workers N] [--postgresql]

  --out DIR      where the report, receipts and logs go (default: ./demo-output)
  --json FILE    writes a summary: contributions, accepted, refused by reason, rewards, jobs, seconds per stage
  --workers N    how many of the 534 workers take part (20 to 534; default: all;
                 below about 100 most groups are too small to be released)
  --postgresql   the node keeps its state in the empty PostgreSQL database that SEALPOOL_DATABASE_URL names, not embedded
`

/**
 * Reads the command line. Paths are relative to the folder that the person called npm from.
 *
 * @throws Error with a message for people when an argument is wrong
 */
export function readArguments(
  argv: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string | undefined>>,
): DemoArguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      out: { type: 'string' },
      json: { type: 'string' },
      workers: { type: 'string' },
      postgresql: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return 'help'
  const workers = values.workers === undefined ? 534 : Number(values.workers)
  if (!Number.isInteger(workers) || workers < 20 || workers > 534) {
    throw new Error('--workers wants a whole number from 20 to 534')
  }
  // An address may hold a password, which arguments would show to everybody on the machine.
  const databaseUrl = values.postgresql === true ? environment['SEALPOOL_DATABASE_URL'] : undefined
  if (values.postgresql === true && (databaseUrl ?? '') === '') {
    throw new Error('--postgresql wants the address of an empty database in SEALPOOL_DATABASE_URL')
  }
  return {
    databaseUrl,
    out: resolve(cwd, values.out ?? 'demo-output'),
    json: values.json === undefined ? undefined : resolve(cwd, values.json),
    workers,
  }
}
