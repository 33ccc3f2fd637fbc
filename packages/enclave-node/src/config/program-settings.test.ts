import { expect, it } from 'vitest'
import { settingsWith } from '../testing/settings.js'
import { configDigest, parseNodeConfig } from './node-config.js'

/** Settings to change, and whether charges are anchored. */
interface Change {
  readonly anchors?: string | null
  readonly [setting: string]: unknown
}

/** Settings whose charges are anchored, as programs ask for it. */
const parse = ({ anchors = `0x${'9'.repeat(40)}`, ...change }: Change) => {
  const { chain } = settingsWith() as { chain: object }
  return parseNodeConfig(settingsWith({ chain: { ...chain, anchors }, ...change }))
}
const digestOfSettings = (programs: unknown) => configDigest(parse({ programs }))

it('runs no programs unless the settings say so, and measures nothing of it then', () => {
  expect(parse({}).programs).toBeNull()
  expect(configDigest(parse({}))).toBe(digestOfSettings(null))
})

it('measures which runtimes there are, whatever their order, and how many runs go at once', () => {
  const both = digestOfSettings({ runtimes: ['quickjs', 'webassembly'] })
  expect(both).toBe(digestOfSettings({ runtimes: ['webassembly', 'quickjs'], children: 1 }))
  const others = [
    digestOfSettings(null),
    both,
    digestOfSettings({ runtimes: ['quickjs'] }),
    digestOfSettings({ runtimes: ['quickjs'], children: 2 }),
  ]
  expect(new Set(others).size).toBe(others.length)
})

it.each([
  { runtimes: [] },
  { runtimes: ['lisp'] },
  { runtimes: ['quickjs', 'quickjs'] },
  { runtimes: ['quickjs'], children: 0 },
  { runtimes: ['quickjs'], children: 17 },
  { runtimes: ['quickjs'], memory: 1 },
  {},
])('refuses %j', (programs) => {
  expect(() => parse({ programs })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

it('refuses programs where charges are not anchored, which a put-back disk would have begun again', () => {
  const programs = { runtimes: ['quickjs'] }
  const wrong = expect.objectContaining({
    code: 'CONFIG_INVALID',
    place: 'programs',
    message: expect.stringContaining('set chain.anchors'),
  })
  expect(() => parse({ programs, anchors: null })).toThrow(wrong)
  expect(parse({ anchors: null }).programs).toBeNull()
  expect(parse({ programs }).programs?.runtimes).toEqual(['quickjs'])
})

it('refuses traces beside programs, which would tell when a program ended', () => {
  const trace = { url: 'http://127.0.0.1:4318/v1/traces' }
  expect(parse({ trace }).programs).toBeNull()
  const wrong = expect.objectContaining({ code: 'CONFIG_INVALID', place: 'trace' })
  expect(() => parse({ trace, programs: { runtimes: ['quickjs'] } })).toThrow(wrong)
})

it('refuses Python and native programs where the settings ask for no bubblewrap', () => {
  for (const runtime of ['pyodide', 'native']) {
    const programs = { runtimes: ['quickjs', runtime] }
    const wrong = expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${runtime} run under bubblewrap alone`),
    })
    expect(() => parse({ programs, sandbox: { isolation: 'process' } })).toThrow(wrong)
    for (const isolation of ['bubblewrap', 'best'])
      expect(parse({ programs, sandbox: { isolation } }).programs?.runtimes).toContain(runtime)
  }
  const portable = { programs: { runtimes: ['quickjs', 'webassembly'] }, sandbox: { isolation: 'process' } }
  expect(parse(portable).programs?.runtimes).toHaveLength(2)
})
