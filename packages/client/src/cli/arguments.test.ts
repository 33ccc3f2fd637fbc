import { describe, expect, test } from 'vitest'
import { readArguments, wholeNumber } from './arguments.js'

const spec = {
  'result-key': { value: 'KEY', help: 'the key' },
  title: { value: 'TEXT', help: 'a title' },
  json: { help: 'as JSON' },
}

describe('readArguments', () => {
  test.each(['-b_-kqR7', '-', '-0', '--0aB', '-a', '-json', '--A_b'])(
    'takes %s as the value of an option',
    (key) => {
      for (const argv of [
        ['--result-key', key, 'job', '--json'],
        ['job', '--json', '--result-key', key],
        ['job', '--json', `--result-key=${key}`],
      ]) {
        const given = readArguments(argv, spec, ['name'])
        expect(given.get('result-key')).toBe(key)
        expect(given.get('json')).toBe('')
        expect(given.positionals).toEqual(['job'])
      }
    },
  )

  test.each([
    [['--result-key', '--title', 'x']],
    [['--result-key', '--title=x']],
    [['--result-key', '--json']],
    [['--result-key', '--tilte', 'x']],
    [['--result-key']],
    [['--json=x']],
  ])('tells that a value is missing, or too many: %j', (argv) => {
    expect(() => readArguments(argv, spec, [])).toThrow(/has no value, or a switch has one.*--name=value/)
  })

  test('leaves a switch without the argument after it, and everything after two dashes alone', () => {
    expect(() => readArguments(['--json', '-x'], spec, [])).toThrow(/there is no option -x/)
    const given = readArguments(['--', '--result-key', '-x'], spec, ['a', 'b'])
    expect(given.positionals).toEqual(['--result-key', '-x'])
    expect(given.get('result-key')).toBeUndefined()
  })

  test('never quotes what was given for a value', () => {
    const key = `--0${'f'.repeat(62)}`
    expect(() => readArguments([key], spec, [])).toThrow(/there is no option$/)
  })
})

describe('wholeNumber', () => {
  test.each([64, 128, 256] as const)('takes what a contract holds in %d bits, and no more', (bits) => {
    const most = 2n ** BigInt(bits) - 1n
    expect(wholeNumber(`${most}`, '--price', bits)).toBe(most)
    expect(() => wholeNumber(`${most + 1n}`, '--price', bits)).toThrow(
      `OPTION_INVALID at --price: expected a whole number below 2^${bits}`,
    )
  })

  test.each([undefined, '', '-1', '1.5', '0x1', '9'.repeat(79)])('%j is none', (text) => {
    expect(() => wholeNumber(text, '--nonce')).toThrow('OPTION_INVALID at --nonce')
  })
})
