import { describe, expect, it } from 'vitest'
import { readArguments } from './arguments.js'
import { UsageError } from './usage.js'

const taken: Readonly<Record<string, readonly string[]>> = {
  receipt: ['deployment', 'policy'],
  evidence: ['policy', 'nonce'],
  quote: ['collateral', 'bundle', 'policy'],
  snp: ['certificates', 'crl', 'bundle', 'policy'],
  log: ['trust'],
  bundle: ['policy'],
}
const all = ['policy', 'collateral', 'nonce', 'deployment', 'bundle', 'certificates', 'crl', 'trust']

describe('arguments of sealpool-verify', () => {
  it.each(Object.keys(taken))(
    '%s takes its own options, and refuses those that it would not look at',
    (command) => {
      for (const option of all) {
        const ask = () => readArguments([command, 'x', `--${option}`, 'y'])
        if (taken[command]?.includes(option)) expect(ask().values).toEqual({ [option]: 'y' })
        else expect(ask).toThrow(new RegExp(`${command} does not look at --${option}`))
      }
      const values = readArguments([command, 'x', '--at', '2026-11-20', '--json']).values
      expect(values).toEqual({ at: '2026-11-20', json: true })
    },
  )

  it.each([
    [['quote', 'x', '--bundle', 'b', '--collateral', 'c'], /--bundle or --collateral/],
    [['snp', 'x', '--bundle', 'b', '--certificates', 'c'], /--bundle or --certificates/],
    [['snp', 'x', '--bundle', 'b', '--crl', 'c'], /--bundle or --crl/],
    [['quote', 'x', '--at', '2026-11-20', '--at', '2026-11-21'], /--at is given twice/],
    [['quote', 'x', '--json', '--json'], /--json is given twice/],
    [['quote', 'x', '--policy=a', '--policy', 'b'], /--policy is given twice/],
    [['quote', 'x', 'y'], /one path/],
    [['quote'], /one path/],
    [['constructor', 'x'], /Say what to verify/],
    [['quote', '--help'], /--help/],
    [['quote', '-h', '--collateral', 'c'], /-h/],
    [['quote', 'x', '--what'], /--what/],
  ])('refuses %j', (args, says) => {
    expect(() => readArguments(args)).toThrow(says)
    expect(() => readArguments(args)).toThrow(UsageError)
  })

  it('takes what stands behind -- as the path that it is', () => {
    for (const name of ['-h', '--help', '--json'])
      expect(readArguments(['quote', '--collateral', 'c', '--', name])).toEqual({
        command: 'quote',
        target: name,
        values: { collateral: 'c' },
      })
  })
})
