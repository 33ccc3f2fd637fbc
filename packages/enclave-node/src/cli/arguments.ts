/**
 * Takes a command line of `sealpool-node` apart.
 * @module
 */
import { parseArgs } from 'node:util'
import { NodeError } from '../errors.js'

/** One option of a command. */
export interface OptionSpec {
  /** Placeholder of its value in the help; absent: a switch. */
  readonly value?: string
  readonly help: string
  readonly required?: boolean
  /** May be given more than once. */
  readonly multiple?: boolean
}

/** A command's argument and options, as given. */
export interface Given {
  /** The argument besides the options, where the command has one. */
  readonly argument: string | undefined
  /** @returns the value of an option; undefined where it was not given */
  readonly get: (name: string) => string | undefined
  /** @returns the value of an option without which there is no such command line */
  readonly need: (name: string) => string
  /** @returns every value of an option that may be given more than once */
  readonly all: (name: string) => readonly string[]
  /** @returns whether a switch is set */
  readonly has: (name: string) => boolean
}

/** What of a command decides over its command line. */
interface CommandLine {
  readonly argument?: { readonly name: string; readonly oneOf: readonly string[] }
  readonly options: Readonly<Record<string, OptionSpec>>
}

/**
 * @param place the option or argument that is wrong
 * @param message what is wrong. It quotes no value: somebody may have typed a key in the wrong place
 * @returns the error for a command line that was not understood
 */
export function usageError(place: string, message: string): NodeError {
  return new NodeError('OPTION_INVALID', place, message)
}

/**
 * Reads the words behind a command's name. An option that the command does not look at, or one that is given twice where one
 * counts, is an error: whoever gave it meant something by it.
 *
 * @param words after the command's name
 * @param command its argument and options
 * @returns what was given
 * @throws NodeError `OPTION_INVALID` naming the option
 */
export function readArguments(words: readonly string[], command: CommandLine): Given {
  const { options, argument } = command
  const parsed = parse(words, options)
  for (const [name, { multiple }] of Object.entries(options)) {
    const times = parsed.tokens.filter((token) => token.kind === 'option' && token.name === name).length
    if (times > 1 && multiple !== true) throw usageError(`--${name}`, 'it was given twice')
  }
  const [word, ...rest] = parsed.positionals
  if (argument === undefined ? word !== undefined : rest.length > 0)
    throw usageError(
      'arguments',
      argument === undefined
        ? 'this command takes nothing but options'
        : `this command takes one argument, ${argument.oneOf.join(', ')}`,
    )
  if (argument !== undefined && (word === undefined || !argument.oneOf.includes(word)))
    throw usageError(argument.name, `say which: ${argument.oneOf.join(', ')}`)
  const all = (name: string): string[] => {
    const value = parsed.values[name]
    return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string')
  }
  const get = (name: string): string | undefined => all(name)[0]
  const need = (name: string): string => {
    const value = get(name)
    if (value === undefined)
      throw usageError(
        `--${name}`,
        `give --${name} ${options[name]?.value ?? ''}: ${options[name]?.help ?? ''}`,
      )
    return value
  }
  for (const [name, { required }] of Object.entries(options)) if (required === true) need(name)
  return { argument: word, get, need, all, has: (name) => parsed.values[name] === true }
}

function parse(words: readonly string[], options: Readonly<Record<string, OptionSpec>>) {
  const unknown = words.find(
    (word) => /^--?[^-]/.test(word) && !Object.hasOwn(options, word.replace(/^--?/, '').replace(/=.*$/s, '')),
  )
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      tokens: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value, multiple = false }]) => [
          name,
          { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple },
        ]),
      ),
    })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
      throw usageError(
        'arguments',
        'an option has no value, or a switch has one; a value that looks like an option is given as --name=value',
      )
    // The name of an unknown option is quoted when it looks like one.
    const shown = /^--?[a-z][a-z-]{0,30}(?=$|=)/.exec(unknown ?? '')?.[0]
    throw usageError('arguments', `this command has no option${shown === undefined ? '' : ` ${shown}`}`)
  }
}

/**
 * A port as it is written.
 *
 * @param text the value
 * @param place the option
 * @returns 0 (any free port) to 65535
 * @throws NodeError `OPTION_INVALID`
 */
export function portOf(text: string, place: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw usageError(place, 'expected a port, 0 to 65535')
}
