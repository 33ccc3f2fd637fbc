import { parseArgs } from 'node:util'
import { UsageError } from './usage.js'

const optionsOf = {
  receipt: ['deployment', 'policy'],
  steps: ['deployment', 'policy', 'partner'],
  proof: ['deployment', 'policy'],
  evidence: ['policy', 'nonce'],
  quote: ['collateral', 'bundle', 'policy'],
  snp: ['certificates', 'crl', 'bundle', 'policy'],
  log: ['trust'],
  bundle: ['policy'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** What can be verified. */
export type Command = keyof typeof optionsOf

/** Arguments as they were given; files are not read yet. */
export interface Arguments {
  readonly command: Command
  readonly target: string
  readonly values: ReturnType<typeof parse>['values']
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    tokens: true,
    options: {
      policy: { type: 'string' },
      at: { type: 'string' },
      json: { type: 'boolean' },
      collateral: { type: 'string' },
      nonce: { type: 'string' },
      partner: { type: 'string' },
      deployment: { type: 'string' },
      bundle: { type: 'string' },
      certificates: { type: 'string' },
      crl: { type: 'string' },
      trust: { type: 'string' },
    },
  })
}

function isCommand(name: string | undefined): name is Command {
  return name !== undefined && Object.hasOwn(optionsOf, name)
}

/**
 * Takes the arguments apart. An option that a command would not look at is an error: whoever gave a nonce or a policy must not take
 * an answer for one about it.
 *
 * @throws UsageError
 */
export function readArguments(args: readonly string[]): Arguments {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    const words = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined)
    if (words.includes('--help') || words.includes('-h')) throw new UsageError('--help is taken alone.')
    // The first sentence: what follows is about arguments that begin with dashes.
    throw new UsageError(
      error instanceof Error ? error.message.replace(/(?<=\.) .*/s, '') : 'Wrong arguments.',
    )
  }
  const [command, target, ...rest] = parsed.positionals
  if (!isCommand(command) || target === undefined || rest.length > 0)
    throw new UsageError(`Say what to verify, ${Object.keys(optionsOf).join(', ')}, and one path.`)
  const given = parsed.tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []))
  const looked: readonly string[] = [...optionsOf[command], 'at', 'json']
  for (const [i, name] of given.entries()) {
    if (given.indexOf(name) !== i) throw new UsageError(`--${name} is given twice.`)
    if (!looked.includes(name)) throw new UsageError(`${command} does not look at --${name}.`)
  }
  for (const name of ['collateral', 'certificates', 'crl'] as const)
    if (given.includes('bundle') && given.includes(name))
      throw new UsageError(`Give --bundle or --${name}, not both.`)
  return { command, target, values: parsed.values }
}
