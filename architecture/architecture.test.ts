import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Architecture, checkPackage, readArchitecture, staleEdges } from './rules.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const architecture = readArchitecture(root)

describe('the house', () => {
  test.each(Object.keys(architecture.packages))('%s keeps the rules', (name) => {
    const found = checkPackage({ root, name, architecture })
    expect(found.map(({ file, line, rule, detail }) => `${file}:${line} ${rule}: ${detail}`)).toEqual([])
  })

  test.each(Object.entries(architecture.packages))(
    '%s declares in its manifest exactly what its rule names',
    (name, rule) => {
      const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
        dependencies?: Record<string, string>
        peerDependencies?: Record<string, string>
      }
      const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).sort()
      const allowed = [...rule.mayImport.map((other) => `@sealpool/${other}`), ...rule.external].sort()
      expect(declared).toEqual(allowed)
    },
  )
})

describe('the edges', () => {
  test.each(Object.keys(architecture.packages))('of %s are all there', (name) => {
    expect(staleEdges({ root, name, architecture })).toEqual([])
  })
})

describe('the rules', () => {
  let planted: string
  const rules: Architecture = {
    floors: [['low', 'side'], ['high']],
    packages: {
      low: { mayImport: [], external: ['zod'], edges: ['edge/', 'platform.ts'] },
      side: { mayImport: [], external: [], edges: [] },
      high: { mayImport: ['low'], external: [], edges: [] },
    },
  }
  const plant = (path: string, text: string) => {
    const file = join(planted, 'packages', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const rulesBroken = (name: string) =>
    checkPackage({ root: planted, name, architecture: rules }).map(({ rule }) => rule)

  beforeEach(() => {
    planted = mkdtempSync(join(tmpdir(), 'sealpool-architecture-'))
  })
  afterEach(() => {
    rmSync(planted, { recursive: true, force: true })
  })

  test('an arrow that points down is fine, also to a subpath', () => {
    plant('high/src/index.ts', "import { a } from '@sealpool/low/sub'\nexport const b = a\n")
    expect(rulesBroken('high')).toEqual([])
  })

  test.each([
    ['up', 'low', "import '@sealpool/high'"],
    ['sideways', 'low', "export * from '@sealpool/side'"],
    ['up, dynamically', 'low', "await import('@sealpool/high')"],
    ['up, by a relative path', 'low', "import '../../high/src/index.js'"],
    ['up, by require', 'low', "const high = require('@sealpool/high')"],
    ['up, by import =', 'low', "import high = require('@sealpool/high')"],
    ['up, by a template', 'low', 'await import(`@sealpool/high`)'],
    ['up, as a type', 'low', "export type Verdict = import('@sealpool/high').Verdict"],
  ])('an arrow that points %s is found', (_, name, text) => {
    plant(`${name}/src/index.ts`, `${text}\n`)
    expect(rulesBroken(name)).toEqual(['arrow'])
  })

  test('an npm package that the rule does not name is found', () => {
    plant('low/src/index.ts', "import * as z from 'zod'\nimport left from 'left-pad'\nexport { left, z }\n")
    expect(rulesBroken('low')).toEqual(['undeclared-import'])
  })

  test.each([
    ['node:fs', "import { readFileSync } from 'node:fs'"],
    ['a node module by its bare name', "import { readFileSync } from 'fs'"],
    ['a dynamic node: import', "const fs = await import('node:fs')"],
    ['a computed import', 'export const load = (name: string) => import(name)'],
    ['a computed require', 'export const load = (name: string) => require(name)'],
    ['a required node module', "const fs = require('node:fs')"],
  ])('%s outside an edge is found', (_, text) => {
    plant('low/src/core.ts', `${text}\n`)
    expect(rulesBroken('low')).toEqual(['node-import'])
  })

  test.each([
    ['the clock', 'export const now = () => Date.now()'],
    ['the clock by a constructor', 'export const now = () => new Date()'],
    ['the clock by performance', 'export const now = () => performance.now()'],
    ['randomness', 'export const roll = () => Math.random()'],
    ['the CSPRNG', 'export const key = () => crypto.getRandomValues(new Uint8Array(32))'],
    [
      'the CSPRNG through globalThis',
      'export const key = () => globalThis.crypto.getRandomValues(new Uint8Array(32))',
    ],
    ['the network', "export const get = () => fetch('http://localhost')"],
    ['the network through globalThis', "export const get = () => globalThis.fetch('http://localhost')"],
    ['the environment', 'export const home = () => process.env.HOME'],
    ['the clock, taken apart', 'const { now } = Date\nexport const at = () => now()'],
    ['the clock as text', 'export const at = () => Date()'],
    ['the network by a string', "export const get = () => globalThis['fetch']('http://localhost')"],
    ['a timer in a signal', 'export const soon = () => AbortSignal.timeout(1)'],
    [
      'a key out of nowhere',
      "export const key = () => crypto.subtle.generateKey({ name: 'X25519' }, true, [])",
    ],
    ['the clock under another name', 'const clock = Date\nexport const at = () => clock.now()'],
    ['the clock of globalThis', 'export const at = () => new globalThis.Date()'],
    ['all globals under another name', 'const all = globalThis\nexport const get = () => all.fetch'],
    ['a global by a computed name', 'export const get = (name: string) => (globalThis as any)[name]'],
    ['all globals, handed to reflection', "export const get = () => Reflect.get(globalThis, 'fetch')"],
    [
      'the CSPRNG of an object under another name',
      'const source = globalThis.crypto\nexport const key = () => source.getRandomValues(new Uint8Array(32))',
    ],
    [
      'the environment, where another function has a parameter of that name',
      'export const run = (process: string) => process\nexport const home = () => process.env.HOME',
    ],
    ['the network of self', "export const get = () => self.fetch('http://localhost')"],
    ['the network of window', "export const get = () => window.fetch('http://localhost')"],
    ['the network of global', "export const get = () => global['fetch']('http://localhost')"],
    ['the globals of the globals', "export const get = () => globalThis.self.fetch('http://localhost')"],
    ['code out of text', "export const at = () => eval('Date.now()')"],
    ['a function out of text', "export const at = new Function('return Date.now()')"],
    ['the clock and the time zone by Intl', 'export const at = () => new Intl.DateTimeFormat().format()'],
    ['a timer', 'export const wait = () => setTimeout(() => {}, 1)'],
  ])('%s in a core is found', (_, text) => {
    plant('low/src/core.ts', `${text}\n`)
    expect(rulesBroken('low')).toContain('ambient-authority')
  })

  test('the same is fine in an edge folder, an edge file and a test', () => {
    const text =
      "import { readFileSync } from 'node:fs'\nexport const now = () => [readFileSync, Date.now()]\n"
    plant('low/src/edge/files.ts', text)
    plant('low/src/platform.ts', text)
    plant('low/src/core.test.ts', text)
    expect(rulesBroken('low')).toEqual([])
  })

  test('a core that takes an edge of its own package is found; its entry and types are not', () => {
    plant('low/src/platform.ts', 'export const now = () => Date.now()\nexport type Now = typeof now\n')
    plant('low/src/index.ts', "export { now } from './platform.js'\n")
    plant('low/src/typed.ts', "import type { Now } from './platform.js'\nexport type { Now }\n")
    expect(rulesBroken('low')).toEqual([])
    plant('low/src/core.ts', "import { now } from './platform.js'\nexport const at = now()\n")
    expect(rulesBroken('low')).toEqual(['edge-import'])
  })

  test('a date given as an argument and a parameter called process are not authority', () => {
    plant('low/src/core.ts', 'export const day = (at: number, process: string) => [new Date(at), process]\n')
    expect(rulesBroken('low')).toEqual([])
  })

  test.each(['./testing/kit.js', './core.test.js'])(
    'an import of %s in shipped code is found',
    (specifier) => {
      plant('low/src/core.ts', `export * from '${specifier}'\n`)
      expect(rulesBroken('low')).toEqual(['arrow'])
    },
  )

  test.each(['core.mts', 'core.tsx', 'core.js', 'core.cjs'])(
    'authority in %s is found, and the file type',
    (name) => {
      plant(`low/src/${name}`, 'export const at = () => Date.now()\n')
      expect(rulesBroken('low').sort()).toEqual(['ambient-authority', 'name'])
    },
  )

  test.each(['utils.ts', 'Utils.ts', 'string-utils.ts', 'helpers/list.ts', 'common.ts', 'misc/x.ts'])(
    'the vague name %s is found',
    (path) => {
      plant(`low/src/${path}`, 'export const a = 1\n')
      expect(rulesBroken('low')).toEqual(['name'])
    },
  )

  test('a file of more than 400 lines is found, a generated ABI is not', () => {
    plant('low/src/long.ts', 'export {}\n'.repeat(401))
    plant('low/src/abi/long.ts', 'export {}\n'.repeat(401))
    expect(rulesBroken('low')).toEqual(['length'])
  })

  test('a rule that allows an arrow upwards is refused', () => {
    mkdirSync(join(planted, 'architecture'))
    writeFileSync(
      join(planted, 'architecture/packages.json'),
      JSON.stringify({
        floors: [['a'], ['b']],
        packages: { a: { mayImport: ['b'], external: [], edges: [] } },
      }),
    )
    expect(() => readArchitecture(planted)).toThrow('does not point down')
  })
})
