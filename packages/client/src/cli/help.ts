import type { OptionSpec } from './arguments.js'
import type { Command } from './command.js'
import { poolOptions } from './settings.js'

/** What help is wrapped to. */
const columns = 80

/** The option of commands that need no pool. */
export const jsonOption: Readonly<Record<string, OptionSpec>> = {
  json: poolOptions['json'] ?? { help: 'print JSON for scripts' },
}

/**
 * The help of the program, for terminals of 80 columns.
 *
 * @param lists commands by whom they are for
 * @returns the text
 */
export function generalHelp(
  lists: readonly (readonly [title: string, commands: readonly Command[]])[],
): string {
  return [
    'sealpool: contribute to confidential data pools, ask them, check every step.',
    '',
    'Usage: sealpool <command> [arguments] [options]',
    ...lists.flatMap(([title, list]) => [
      '',
      `${title}:`,
      ...rows(list.map(({ name, summary }) => [name, summary])),
    ]),
    '',
    ...wrapped(
      'Keys come from --key-file, standard input or $SEALPOOL_KEY, tokens from --token-file or $SEALPOOL_TOKEN, never from the command line. Calls to the node are sealed; where it asks for it, the key signs in (EIP-4361), also for commands that only read.',
    ),
    ...wrapped(exitCodes),
    'sealpool <command> --help tells more; --version prints the version.',
    '',
  ].join('\n')
}

const exitCodes =
  'Exit codes: 0 done or yes; 1 no (not ready, refused, not verified); 2 not understood; 3 failed.'

/**
 * The help of one command, for terminals of 80 columns.
 *
 * @param command one of them
 * @returns the text
 */
export function commandHelp(command: Command): string {
  const { name, summary, positionals, details, options, needs, example } = command
  const optionRows = (shown: Command['options']) =>
    rows(
      Object.entries(shown).map(([option, { value, help, required }]) => [
        `--${option}${value === undefined ? '' : ` ${value}`}`,
        `${help}${required === true ? ' (required)' : ''}`,
      ]),
    )
  return [
    ...wrapped(`sealpool ${name}: ${summary}`),
    '',
    ...wrapped(`Usage: sealpool ${[name, ...positionals.map((one) => `<${one}>`)].join(' ')} [options]`),
    ...(details === undefined ? [] : ['', ...wrapped(details.replaceAll('\n', ' '))]),
    ...(Object.keys(options).length === 0 ? [] : ['', 'Options:', ...optionRows(options)]),
    '',
    needs === 'none' ? 'Output:' : 'Pool (each may stand in the settings file, but key and token):',
    ...optionRows(needs === 'none' ? jsonOption : poolOptions),
    '',
    'Example:',
    ...commandLine(example),
    '',
    ...wrapped(exitCodes),
    '',
  ].join('\n')
}

/** Two columns; the second is wrapped, and begins below a first one that is too long. */
function rows(cells: readonly (readonly string[])[]): string[] {
  const indent = Math.min(24, Math.max(...cells.map(([first = '']) => first.length)) + 4)
  return cells.flatMap(([first = '', second = '']) => {
    const lines = wrapped(second, indent)
    if (first.length + 4 > indent) return [`  ${first}`, ...lines]
    return [`  ${first}`.padEnd(indent) + (lines[0] ?? '').trimStart(), ...lines.slice(1)]
  })
}

function wrapped(text: string, indent = 0): string[] {
  return fold(text.split(' '), columns - indent).map((line) => ' '.repeat(indent) + line)
}

/** A command line that can be copied, on as many lines as it takes. */
function commandLine(text: string): string[] {
  // What stands in quotes is one word; a break would be in it.
  const words = text.match(/(?:'[^']*'|[^\s'])+/g) ?? []
  const lines = fold(words, columns - 6)
  return lines.map((line, at) => `${at === 0 ? '  ' : '    '}${line}${at < lines.length - 1 ? ' \\' : ''}`)
}

/** Words as lines of at most so many characters; a longer word has a line of its own. */
function fold(words: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
