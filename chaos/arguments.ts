/** What `npm run chaos` may be told. */
import { parseArgs } from 'node:util'

/** Faults by name, in the order in which they are injected. */
export const faultNames = [
  'kill',
  'rpc',
  'blob',
  'clock',
  'http',
  'disk',
  'nodes',
  'escapes',
  'reorg',
  'postgres',
] as const

/** A fault that can be asked for. */
export type FaultName = (typeof faultNames)[number]

/** A run as it was asked for. */
export interface ChaosArguments {
  readonly seed: number
  readonly kills: number
  /** The longest that kills may take, in minutes; null: however long. */
  readonly killMinutes: number | null
  /** Length of the soak; 0: none. */
  readonly minutes: number
  readonly faults: readonly FaultName[]
  readonly short: boolean
  readonly keep: boolean
  /** File for the figures as JSON; `-`: standard output instead of the table. */
  readonly json: string | null
}

export const usage = `npm run chaos [-- options]

  --short          10 kills, one of each other fault, no soak: for CI
  --seed N         which faults, when (default: 1)
  --kills N        how often the node is killed (default: 500; 10 with --short)
  --kill-minutes N no kill begins later than N minutes after the first; what was done till then is compared
  --minutes N      length of the soak (default: 30; 0 with --short or --only)
  --only FAULT     only this one, several with commas: ${faultNames.join(', ')}
  --json FILE      the figures as JSON as well; - : on standard output, instead of the table
  --keep           keeps the folder with data, logs and traffic`

/** What is wrong with the arguments, in one sentence. */
export class ArgumentsError extends Error {}

/**
 * Reads the arguments.
 * @throws ArgumentsError naming the argument
 */
export function parseArguments(words: readonly string[]): ChaosArguments | 'help' {
  const { values } = parse(words)
  if (values.help === true) return 'help'
  const whole = <Otherwise extends number | null>(
    name: 'seed' | 'kills' | 'kill-minutes' | 'minutes',
    otherwise: Otherwise,
    most: number,
  ): number | Otherwise => {
    const text = values[name]
    if (text === undefined) return otherwise
    if (!/^\d{1,9}$/.test(text) || Number(text) > most) {
      throw new ArgumentsError(`--${name} is a whole number from 0 to ${most}`)
    }
    return Number(text)
  }
  const short = values.short === true
  const asked = values.only?.split(',')
  const unknown = asked?.find((name) => !faultNames.some((one) => one === name))
  if (unknown !== undefined) {
    throw new ArgumentsError(`there is no fault "${unknown}"; there are ${faultNames.join(', ')}`)
  }
  return {
    seed: whole('seed', 1, 999_999_999),
    kills: whole('kills', short ? 10 : 500, 100_000),
    killMinutes: whole('kill-minutes', null, 10_000),
    minutes: whole('minutes', short || asked !== undefined ? 0 : 30, 10_000),
    faults: faultNames.filter((name) => asked?.includes(name) ?? true),
    short,
    keep: values.keep === true,
    json: values.json ?? null,
  }
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        short: { type: 'boolean' },
        seed: { type: 'string' },
        kills: { type: 'string' },
        'kill-minutes': { type: 'string' },
        minutes: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'string' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new ArgumentsError(error instanceof Error ? error.message : 'these are no arguments')
  }
}
