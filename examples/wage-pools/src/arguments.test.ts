import { describe, expect, test } from 'vitest'
import { readArguments } from './arguments.js'

describe('the demo’s command line', () => {
  test('has defaults in the caller’s folder', () => {
    expect(readArguments([], '/home/ann')).toEqual({
      out: '/home/ann/demo-output',
      json: undefined,
      workers: 534,
    })
  })

  test('takes paths relative to the caller’s folder', () => {
    const read = readArguments(['--out', 'here', '--json', '../sum.json', '--workers', '20'], '/home/ann')
    expect(read).toEqual({ out: '/home/ann/here', json: '/home/sum.json', workers: 20 })
  })

  test.each([['19'], ['535'], ['20.5'], ['many'], ['']])('refuses %s workers', (workers) => {
    expect(() => readArguments(['--workers', workers], '/')).toThrow('--workers')
  })

  test('refuses an option that it does not know', () => {
    expect(() => readArguments(['--fast'], '/')).toThrow('--fast')
  })
})
