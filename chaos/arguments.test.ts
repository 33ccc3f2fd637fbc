import { describe, expect, it } from 'vitest'
import { ArgumentsError, faultNames, parseArguments } from './arguments.js'

describe('arguments', () => {
  it('are the long form when there are none', () => {
    expect(parseArguments([])).toEqual({
      seed: 1,
      kills: 500,
      killMinutes: null,
      minutes: 30,
      faults: faultNames,
      short: false,
      keep: false,
      json: null,
    })
  })

  it('make the short form, and what is asked for wins over it', () => {
    expect(parseArguments(['--short'])).toMatchObject({ kills: 10, minutes: 0, short: true })
    expect(
      parseArguments(['--short', '--kills', '3', '--seed', '7', '--minutes', '2', '--json', '-', '--keep']),
    ).toMatchObject({ kills: 3, seed: 7, minutes: 2, json: '-', keep: true })
    expect(parseArguments(['--kill-minutes', '20'])).toMatchObject({ kills: 500, killMinutes: 20 })
    expect(parseArguments(['--help'])).toBe('help')
  })

  it('choose faults, in the order of injection and without a soak', () => {
    expect(parseArguments(['--only', 'reorg,kill'])).toMatchObject({ faults: ['kill', 'reorg'], minutes: 0 })
  })

  it.each([
    [['--only', 'kil'], /there is no fault "kil"/],
    [['--only', ''], /there is no fault ""/],
    [['--kills', '-1'], /kills/],
    [['--kills', '1.5'], /--kills is a whole number/],
    [['--kill-minutes', '1h'], /--kill-minutes is a whole number/],
    [['--seed', '0x10'], /--seed is a whole number/],
    [['--minutes', '99999'], /--minutes is a whole number from 0 to 10000/],
    [['--seed'], /seed/],
    [['--fast'], /fast/],
    [['kill'], /kill/],
  ])('%j are refused by name', (words, message) => {
    expect(() => parseArguments(words)).toThrow(ArgumentsError)
    expect(() => parseArguments(words)).toThrow(message)
  })
})
