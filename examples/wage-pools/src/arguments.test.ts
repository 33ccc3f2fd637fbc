import { describe, expect, test } from 'vitest'
import { readArguments } from './arguments.js'

describe('the demo’s command line', () => {
  test('has defaults in the caller’s folder', () => {
    expect(readArguments([], '/home/ann', { SEALPOOL_DATABASE_URL: 'postgresql:///demo' })).toEqual({
      out: '/home/ann/demo-output',
      json: undefined,
      workers: 534,
      databaseUrl: undefined,
    })
  })

  test('takes the state’s server from the environment, and only when it is asked to', () => {
    const environment = { SEALPOOL_DATABASE_URL: 'postgresql:///demo' }
    expect(readArguments(['--postgresql'], '/', environment)).toMatchObject({
      databaseUrl: 'postgresql:///demo',
    })
    for (const missing of [{}, { SEALPOOL_DATABASE_URL: '' }])
      expect(() => readArguments(['--postgresql'], '/', missing)).toThrow('SEALPOOL_DATABASE_URL')
  })

  test('takes paths relative to the caller’s folder', () => {
    const read = readArguments(['--out', 'here', '--json', '../sum.json', '--workers', '20'], '/home/ann', {})
    expect(read).toEqual({
      out: '/home/ann/here',
      json: '/home/sum.json',
      workers: 20,
      databaseUrl: undefined,
    })
  })

  test.each([['19'], ['535'], ['20.5'], ['many'], ['']])('refuses %s workers', (workers) => {
    expect(() => readArguments(['--workers', workers], '/', {})).toThrow('--workers')
  })

  test('refuses an option that it does not know', () => {
    expect(() => readArguments(['--fast'], '/', {})).toThrow('--fast')
  })
})
