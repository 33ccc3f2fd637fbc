import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readArguments } from './arguments.js'
import { commands, runCli } from './run.js'
import { poolOptions } from './settings.js'

/** The command as a function, without a pool. */
async function sealpool(...argv: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(argv, {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    env: {},
    stdin: () => Promise.resolve(''),
  })
  return { code, out, err }
}

/** The words of a command line, as a shell would split it. */
function wordsOf(line: string): string[] {
  const words = line.replaceAll(/\\\n\s*/g, '').match(/(?:'[^']*'|[^\s'])+/g) ?? []
  return words.map((word) => word.replaceAll("'", ''))
}

const fits = (text: string) => {
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
}
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ')

test('help lists every command, and fits a terminal', async () => {
  const { code, out, err } = await sealpool('--help')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  fits(out)
  for (const { name, summary } of commands) expect(oneLine(out)).toContain(` ${name} ${summary}`)
  for (const word of ['-h', 'help']) expect((await sealpool(word)).out).toBe(out)
  // Nobody asked for it here.
  expect(await sealpool()).toEqual({ code: 2, out: '', err: out })
})

describe.each(commands.map((command) => [command.name, command] as const))('%s', (name, command) => {
  test('explains itself: options, example, exit codes', async () => {
    const { code, out, err } = await sealpool(name, '--help')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    fits(out)
    expect(oneLine(out)).toContain(`sealpool ${name}: ${command.summary}`)
    for (const option of Object.keys(command.options)) expect(out).toContain(`  --${option}`)
    expect(out).toContain('Exit codes: 0')
    expect((await sealpool('help', name)).out).toBe(out)
  })

  test('shows an example that it understands, also as it is printed', async () => {
    const shared = command.needs === 'none' ? { json: { help: '' } } : poolOptions
    const [program, first, ...rest] = wordsOf(command.example)
    expect([program, first]).toEqual(['sealpool', name])
    readArguments(rest, { ...shared, ...command.options }, command.positionals)
    const { out } = await sealpool(name, '--help')
    const printed = /\nExample:\n([\s\S]*?)\n\n/.exec(out)?.[1] ?? ''
    expect(wordsOf(printed)).toEqual([program, first, ...rest])
  })
})

test('the version is the package’s', async () => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  for (const word of ['--version', 'version'])
    expect(await sealpool(word)).toEqual({ code: 0, out: `sealpool ${version}\n`, err: '' })
})
