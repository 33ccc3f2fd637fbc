import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { developmentKeyFile } from '../key/development-key-release.js'
import { sealedRootFile } from '../key/sealed-key-release.js'
import { awaitingMark, claimFolder, useFolder } from './awaiting-folder.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-awaiting-'))
  return () => rmSync(folder, { recursive: true })
})
const put = (name: string) => writeFileSync(join(folder, name), 'x')

describe('a data folder of a successor', () => {
  it('is claimed while nothing is there, and again until its root is used', () => {
    claimFolder(folder)()
    put(developmentKeyFile)
    put(sealedRootFile)
    claimFolder(folder)()
    useFolder(folder)
    expect(existsSync(join(folder, awaitingMark))).toBe(false)
    expect(() => claimFolder(folder)).toThrow(expect.objectContaining({ code: 'STATE_NOT_EMPTY' }))
  })

  it.each([developmentKeyFile, sealedRootFile])('is none with %s that was not made for it', (name) => {
    put(name)
    for (const _ of [1, 2])
      expect(() => claimFolder(folder)).toThrow(expect.objectContaining({ code: 'STATE_NOT_EMPTY' }))
    expect(existsSync(join(folder, awaitingMark))).toBe(false)
  })

  it('is none with a state, whatever mark is there', () => {
    claimFolder(folder)()
    put('pglite')
    expect(() => claimFolder(folder)).toThrow(expect.objectContaining({ code: 'STATE_NOT_EMPTY' }))
  })

  it('is not used while keys come in, nor claimed twice at once', () => {
    const unlock = claimFolder(folder)
    expect(() => useFolder(folder)).toThrow(expect.objectContaining({ code: 'STATE_LOCKED' }))
    expect(() => claimFolder(folder)).toThrow(expect.objectContaining({ code: 'STATE_LOCKED' }))
    expect(existsSync(join(folder, awaitingMark))).toBe(true)
    unlock()
    useFolder(folder)
  })
})
