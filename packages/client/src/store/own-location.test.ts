import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClientError } from '../errors.js'
import { formatOwnLocation, parseOwnLocation } from './own-location.js'

const hex = 'ab'.repeat(32)
const digest = `sha256:${hex}` as const

describe('formatOwnLocation', () => {
  test.each(['https://files.example/mine', 'https://files.example/mine/', 'https://files.example:8443/a/b'])(
    'what it writes of %s is read again',
    (store) => {
      const location = parseOwnLocation(formatOwnLocation(store, digest))
      expect(location?.digest).toBe(digest)
      expect(location?.url.href).toBe(`${store.replace(/\/$/, '')}/${hex}`)
    },
  )

  test.each([
    ['a user', 'https://me:secret@files.example/', 'OPTION_INVALID'],
    ['a fragment', 'https://files.example/#a', 'OPTION_INVALID'],
    ['another alphabet', 'https://f\u0456les.example/', 'OPTION_INVALID'],
    ['no host', 'https://', 'OPTION_INVALID'],
    ['a query', 'https://files.example/?key=secret', 'OPTION_INVALID'],
    ['another protocol', 'ftp://files.example/', 'OPTION_INVALID'],
    ['no address', 'files', 'OPTION_INVALID'],
  ])('error: %s', (_, store, code) => {
    expect(() => formatOwnLocation(store, digest)).toThrow(expect.objectContaining({ code }))
    expect(() => formatOwnLocation(store, digest)).toThrow(ClientError)
  })
})

describe('parseOwnLocation', () => {
  test('a value and a fragment name the file as well, and a fragment is not sent', () => {
    expect(parseOwnLocation(`https://files.example/get?name=${hex}`)?.url.search).toBe(`?name=${hex}`)
    expect(parseOwnLocation(`https://gateway.example/ipfs/bafy#${hex}`)?.url.href).toBe(
      'https://gateway.example/ipfs/bafy',
    )
  })

  test.each([
    ['a locator of a blob store', digest],
    ['nothing', ''],
    ['no digest', 'https://files.example/mine'],
    ['upper case', `https://files.example/${hex.toUpperCase()}`],
    ['a longer name', `https://files.example/0${hex}`],
    ['something behind it', `https://files.example/${hex}/`],
    ['a user', `https://me@files.example/${hex}`],
    ['a password', `https://:x@files.example/${hex}`],
    ['a space', `https://files.example/a b/${hex}`],
    ['a line break', `https://files.example/\n/${hex}`],
    ['another alphabet', `https://fіles.example/${hex}`],
    ['a file', `file:///etc/${hex}`],
    ['no host', `https:///${hex}`],
    ['a wrong port', `https://files.example:99999/${hex}`],
    ['too long', `https://files.example/${'a'.repeat(450)}/${hex}`],
  ])('%s is none', (_, locator) => {
    // A URL without host takes its first segment for one: what is read is then no host of an owner, and answers nothing.
    const read = parseOwnLocation(locator)
    if (locator.startsWith('https:///')) expect(read?.url.hostname ?? hex).toBe(hex)
    else expect(read).toBeUndefined()
  })

  test('is total', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), fc.webUrl(), (text, base) => {
        for (const locator of [text, base, `${base}/${hex}`, `${base}${text}/${hex}`]) {
          const read = parseOwnLocation(locator)
          if (read === undefined) continue
          expect(read.digest).toBe(digest)
          expect(['http:', 'https:']).toContain(read.url.protocol)
          expect([read.url.username, read.url.password, read.url.hash]).toEqual(['', '', ''])
        }
      }),
    )
  })
})
