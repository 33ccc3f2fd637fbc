import { parseArgs } from 'node:util'

/** A command line that was understood. */
export type Command =
  | {
      readonly name: 'run'
      readonly file: string
      readonly poc: string
      readonly owner: `0x${string}`
      readonly mediaType: string | undefined
      readonly at: number | undefined
      readonly isolation: 'bubblewrap' | 'process' | 'best'
      readonly json: boolean
      readonly watch: boolean
    }
  | {
      readonly name: 'test'
      readonly folder: string
      readonly poc: string
      readonly isolation: 'bubblewrap' | 'process' | 'best'
      readonly json: boolean
      readonly watch: boolean
    }
  | { readonly name: 'create'; readonly folder: string; readonly json: boolean }
  | { readonly name: 'verify'; readonly file: string; readonly expect: string; readonly json: boolean }
  | { readonly name: 'help' }
  | { readonly name: 'version' }

/** The command line asks for something that is not there; the message says what. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What `sealpool-poc` says of itself, for terminals of 80 columns. */
export const USAGE = `sealpool-poc: what is a contribution worth?

Usage: sealpool-poc <command> <file or folder> [options]

  run <file>       judge an export and print its score card; of a folder, every
                   file in it
  test <folder>    judge labelled examples: each <name>.<ending> beside its
                   <name>.expected.json
  create <folder>  write a new proof that passes its own tests
  verify <file>    check a signed verdict, rescoring or facts of a dataset,
                   offline

Options of run and test:
  --poc <module>       the proof: a module whose default export is
                       definePoc({ ... }) (required)
  --isolation <name>   bubblewrap, process or best (the default)
  --watch              run again whenever the proof, what it imports from its
                       folder, or the examples change; Ctrl-C ends it
Options of run alone:
  --owner <address>    wallet that contributes; default 0x00...00
  --media-type <type>  of the file; default: by its ending
  --at <unix seconds>  time by which signatures are judged; without it, what
                       expires is not authentic
Option of verify:
  --expect <file>      JSON of what you know beforehand, from the chain and the
                       pool (required): chainId, registry, pool, validators; of
                       a verdict commitment, contribution, poc as well, and
                       nonce, inputs and earlierPolicy where there are any
Options of all:
  --json               print JSON: a verdict, or of a folder a list of
                       { file, verdict }, with { file, error } for what cannot
                       be read; of test { poc, outcomes }; of create { files };
                       of verify what was verified, or the refusal;
                       { error: { code, message } } when there is no answer
  --help, --version

Examples:
  sealpool-poc run my-export.csv --poc proof.ts --owner 0x...
  sealpool-poc test examples --poc proof.ts --watch

Exit codes: 0 valid, verified or all examples as labelled; 1 a file refused, not
verified, or an example that differs or has no label; 2 the command line or a
file cannot be read (of a folder the others are judged all the same), the answer
cannot be written, or the isolation is not to be had here; 3 the proof itself
fails.
`

/** Options that each command looks at, besides --json. */
const optionsOf = {
  run: ['poc', 'isolation', 'watch', 'owner', 'media-type', 'at'],
  test: ['poc', 'isolation', 'watch'],
  create: [],
  verify: ['expect'],
} as const satisfies Readonly<Record<string, readonly string[]>>

function isCommand(name: string | undefined): name is keyof typeof optionsOf {
  return name !== undefined && Object.hasOwn(optionsOf, name)
}

/**
 * Reads a command line.
 *
 * @param args without node and the script
 * @throws UsageError
 */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  if (values.help === true || (args.length === 1 && args[0] === 'help')) return { name: 'help' }
  if (values.version === true || (args.length === 1 && args[0] === 'version')) return { name: 'version' }
  const [name, target, ...rest] = positionals
  if (!isCommand(name)) throw new UsageError('say run, test, create or verify')
  if (target === undefined || rest.length > 0) throw new UsageError(`${name} takes one file or folder`)
  const looked: readonly string[] = [...optionsOf[name], 'json']
  const idle = Object.keys(values).find((option) => !looked.includes(option))
  // An option that does nothing would be taken for one that did.
  if (idle !== undefined) throw new UsageError(`${name} does not take --${idle}`)
  const { poc, isolation = 'best', json = false, watch = false } = values
  if (name === 'create') return { name, folder: target, json }
  if (name === 'verify') {
    if (values.expect === undefined) throw new UsageError('verify needs --expect <file>')
    return { name, file: target, expect: values.expect, json }
  }
  if (poc === undefined) throw new UsageError(`${name} needs --poc <module>`)
  if (isolation !== 'bubblewrap' && isolation !== 'process' && isolation !== 'best') {
    throw new UsageError('--isolation is bubblewrap, process or best')
  }
  if (name === 'test') return { name, folder: target, poc, isolation, json, watch }
  const { owner = `0x${'0'.repeat(40)}`, at } = values
  if (!/^0x[0-9a-fA-F]{40}$/.test(owner))
    throw new UsageError('--owner is an address, 0x and 40 hexadecimal digits')
  if (at !== undefined && !/^\d{1,12}$/.test(at)) throw new UsageError('--at is a time in Unix seconds')
  return {
    name,
    file: target,
    poc,
    owner: owner as `0x${string}`,
    mediaType: values['media-type'],
    at: at === undefined ? undefined : Number(at),
    isolation,
    json,
    watch,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        poc: { type: 'string' },
        owner: { type: 'string' },
        'media-type': { type: 'string' },
        at: { type: 'string' },
        expect: { type: 'string' },
        isolation: { type: 'string' },
        json: { type: 'boolean' },
        watch: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(
      // The first sentence: what follows is about arguments that begin with dashes.
      error instanceof Error
        ? error.message.replaceAll('\n', ' ').replace(/(?<=\.) .*/, '')
        : 'the command line cannot be read',
    )
  }
}
