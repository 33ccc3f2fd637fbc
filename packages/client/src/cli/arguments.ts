import { parseArgs } from 'node:util'
import type { Digest } from '@sealpool/crypto'
import { ClientError } from '../errors.js'

/** One option of a command. */
export interface OptionSpec {
  /** Placeholder of its value in the help; absent: a switch. */
  readonly value?: string
  readonly help: string
  readonly required?: boolean
}

/** A command's options and positional arguments, as given. */
export interface Given {
  readonly positionals: readonly string[]
  /** The value of an option; the empty text for a switch that is set. */
  readonly get: (name: string) => string | undefined
  /** @throws ClientError `OPTION_INVALID` */
  readonly need: (name: string) => string
}

/** The error for what was not understood. Never quotes an argument: it may be a key that somebody typed in the wrong place. */
export function usage(place: string, message: string): ClientError {
  return new ClientError('OPTION_INVALID', place, message)
}

/**
 * Reads the arguments of one command.
 *
 * @param argv after the command's name
 * @param spec its options
 * @param positionals names of its positional arguments, in order
 * @throws ClientError `OPTION_INVALID`
 */
export function readArguments(
  argv: readonly string[],
  spec: Readonly<Record<string, OptionSpec>>,
  positionals: readonly string[],
): Given {
  const options = Object.fromEntries(
    Object.entries(spec).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  let parsed: ReturnType<typeof parseArgs>
  try {
    const args = joinDashedValues(argv, spec)
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const name = argv.find(
      (arg) => arg.startsWith('-') && !(arg.replace(/^--?/, '').replace(/=.*$/s, '') in spec),
    )
    // An unknown option's name is quoted when it looks like one.
    const shown =
      name !== undefined && /^--?[a-z][a-z-]{0,30}(=|$)/.test(name) ? ` ${name.replace(/=.*$/s, '')}` : ''
    throw usage(
      'arguments',
      code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
        ? `there is no option${shown}`
        : 'an option has no value, or a switch has one; a value that looks like an option is given as --name=value',
    )
  }
  if (parsed.positionals.length !== positionals.length) {
    const wanted =
      positionals.length === 0 ? 'no arguments' : positionals.map((name) => `<${name}>`).join(' ')
    throw usage('arguments', `expected ${wanted} besides options, got ${parsed.positionals.length}`)
  }
  const get = (name: string): string | undefined => {
    const value = parsed.values[name]
    return typeof value === 'string' ? value : value === true ? '' : undefined
  }
  const need = (name: string): string => {
    const value = get(name)
    if (value === undefined)
      throw usage(`--${name}`, `give --${name} ${spec[name]?.value ?? ''}: ${spec[name]?.help ?? ''}`)
    return value
  }
  for (const [name, { required }] of Object.entries(spec)) if (required === true) need(name)
  return { positionals: parsed.positionals, get, need }
}

/**
 * Options whose value begins with a dash, as one argument each: one key of 64 in base64url begins with one, and there are no short options
 * that it could be mistaken for. What looks like the name of an option stays one, so that a forgotten value is still told.
 */
function joinDashedValues(argv: readonly string[], spec: Readonly<Record<string, OptionSpec>>): string[] {
  const joined: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at] as string
    const value = argv[at + 1]
    if (arg === '--') return [...joined, ...argv.slice(at)]
    const takesValue = arg.startsWith('--') && spec[arg.slice(2)]?.value !== undefined
    if (takesValue && value !== undefined && /^-(?!$|-$|-[a-z][a-z-]{0,30}(=|$))/.test(value)) {
      joined.push(`${arg}=${value}`)
      at++
    } else joined.push(arg)
  }
  return joined
}

/** @throws ClientError `OPTION_INVALID` */
export function digestArgument(text: string, place: string): Digest {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text as Digest
  throw usage(place, 'expected sha256: and 64 lower-case hexadecimal digits')
}

/**
 * A number for the chain.
 *
 * @param bits of the contract's unsigned integer: 64 for a moment, 128 for an amount
 * @throws ClientError `OPTION_INVALID`
 */
export function wholeNumber(text: string | undefined, place: string, bits: 64 | 128 | 256 = 256): bigint {
  if (text === undefined || !/^\d{1,78}$/.test(text)) throw usage(place, 'expected a whole number from 0 up')
  const number = BigInt(text)
  if (number >> BigInt(bits) === 0n) return number
  throw usage(place, `expected a whole number below 2^${bits}`)
}

/** @throws ClientError `OPTION_INVALID` */
export function decimal(text: string, place: string): number {
  if (/^\d{1,15}(\.\d{1,18})?(e-?\d{1,2})?$/i.test(text)) return Number(text)
  throw usage(place, 'expected a number such as 0.5 or 1e-7')
}
