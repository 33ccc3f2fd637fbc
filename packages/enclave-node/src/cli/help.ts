/**
 * What `sealpool-node --help` prints, of the program and of each command, for terminals of 80 columns.
 * @module
 */
import type { OptionSpec } from './arguments.js'
import { everyCommand, type NodeCommand } from './command.js'

const columns = 80

const exitCodes =
  'Exit codes: 0 done or yes; 1 no (does not verify, a step is open, a check failed, the node ended by itself); 2 the command line or the settings were not understood; 3 it could not be done.'

/**
 * @param commands all, in the order of the help
 * @returns the help of the program
 */
export function generalHelp(commands: readonly NodeCommand[]): string {
  return [
    'sealpool-node: runs confidential data pools.',
    '',
    'Usage: sealpool-node <command> [options]',
    '',
    ...rows(commands.map(({ name, summary }) => [name, summary])),
    '',
    ...wrapped(
      'The account that pays for transactions comes from SEALPOOL_TRANSACTION_KEY or a secrets file, never from the settings or the command line.',
    ),
    ...wrapped(exitCodes),
    'sealpool-node <command> --help tells more; --version prints the version.',
    '',
  ].join('\n')
}

/**
 * @param command one of them
 * @returns its help
 */
export function commandHelp(command: NodeCommand): string {
  const { name, summary, argument, options, details, examples } = command
  const shown: Readonly<Record<string, OptionSpec>> = { ...options, ...everyCommand }
  const optionRows = Object.entries(shown).map(([option, spec]) => [
    `--${option}${spec.value === undefined ? '' : ` ${spec.value}`}`,
    `${spec.help}${spec.required === true ? ' (required)' : ''}${spec.multiple === true ? ' (may be given again)' : ''}`,
  ])
  return [
    ...wrapped(`sealpool-node ${name}: ${summary}`),
    '',
    ...wrapped(
      `Usage: sealpool-node ${name}${argument === undefined ? '' : ` ${argument.oneOf.join('|')}`} [options]`,
    ),
    ...details.flatMap((paragraph) => ['', ...wrapped(paragraph)]),
    '',
    'Options:',
    ...rows(optionRows),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map((line) => `  ${line}`),
    '',
    ...wrapped(command.exitCodes ?? exitCodes),
    '',
  ].join('\n')
}

/** Two columns; the second is wrapped, and begins below a first one that is too long. */
function rows(cells: readonly (readonly string[])[]): string[] {
  const indent = Math.min(24, 2 + Math.max(...cells.map(([first = '']) => first.length)) + 2)
  return cells.flatMap(([first = '', second = '']) => {
    const lines = wrapped(second, indent)
    const fits = first.length + 4 <= indent
    return fits
      ? [`  ${first}`.padEnd(indent) + (lines[0] ?? '').trimStart(), ...lines.slice(1)]
      : [`  ${first}`, ...lines]
  })
}

/** Lines of a text that are no longer than a terminal is wide, each indented. */
function wrapped(text: string, indent = 0): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => ' '.repeat(indent) + one)
}
