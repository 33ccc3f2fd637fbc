/** A command line that makes no sense; its message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A read command line. */
export interface Arguments {
  readonly command: string
  readonly operands: readonly string[]
  readonly options: ReadonlyMap<string, string>
  readonly flags: ReadonlySet<string>
}

const allowed: Readonly<
  Record<string, { readonly options: readonly string[]; readonly flags: readonly string[] }>
> = {
  run: {
    options: ['out', 'key-file', 'contributor', 'salt-file', 'pii-key-file', 'table', 'workers', 'embedder'],
    flags: ['json'],
  },
  check: { options: ['table', 'workers', 'embedder'], flags: ['json'] },
  mock: { options: ['rows', 'seed', 'format', 'table'], flags: [] },
  describe: { options: ['as', 'dataset'], flags: [] },
  create: { options: [], flags: ['json'] },
}

/**
 * Reads a command line.
 *
 * @param args - words behind the program's name
 * @returns the command with its words
 * @throws UsageError for what the command does not know
 */
export function readArguments(args: readonly string[]): Arguments {
  const [command = '', ...rest] = args
  const known = Object.hasOwn(allowed, command) ? allowed[command] : undefined
  if (known === undefined)
    throw new UsageError(command === '' ? 'name a command' : 'there is no such command')
  const operands: string[] = []
  const options = new Map<string, string>()
  const flags = new Set<string>()
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? ''
    if (word === '--') {
      operands.push(...rest.slice(at + 1))
      break
    }
    if (!word.startsWith('--')) {
      operands.push(word)
      continue
    }
    const [name = '', written] = word.slice(2).split(/=(.*)/s, 2)
    if (known.flags.includes(name) && written === undefined) flags.add(name)
    else if (known.options.includes(name) && !options.has(name)) {
      const value = written ?? rest[at + 1]
      if (value === undefined || (written === undefined && value.startsWith('--')))
        throw new UsageError(`--${name} needs a value; --${name}=VALUE takes one that begins with dashes`)
      options.set(name, value)
      if (written === undefined) at += 1
    } else if (known.options.includes(name)) throw new UsageError(`--${name} is given twice`)
    else throw new UsageError(`${command} does not take --${shownName(name)}`)
  }
  return { command, operands, options, flags }
}

/** The name of an unknown option when it looks like one: it may be a key that somebody typed in the wrong place. */
function shownName(name: string): string {
  return /^[a-z][a-z-]{0,30}$/.test(name) ? name : '…'
}

/**
 * An option that is a whole number.
 *
 * @param given - the command line
 * @param name - the option
 * @param otherwise - when it is not given
 * @param most - largest value
 * @returns the number
 * @throws UsageError when it is none
 */
export function wholeNumber(given: Arguments, name: string, otherwise: number, most: number): number {
  const text = given.options.get(name)
  if (text === undefined) return otherwise
  if (!/^\d{1,16}$/.test(text) || Number(text) > most)
    throw new UsageError(`--${name} must be a whole number up to ${most}`)
  return Number(text)
}
