import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codeOf, pool, sealedOf } from '../testing/sealed-fixture.js'
import { decodeArmor, encodeArmor } from './armor.js'
import { openBytes } from './open.js'

test('carries any bytes, in lines of at most 64 characters of standard base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const text = encodeArmor(bytes)
      expect(decodeArmor(text)).toEqual(bytes)
      const body = text.split('\n').slice(1, -2)
      expect(body.join('')).toBe(Buffer.from(bytes).toString('base64'))
      expect(body.slice(0, -1).every((line) => line.length === 64)).toBe(true)
    }),
  )
})

test('is of something: no bytes are neither written nor read', () => {
  const refused = expect.objectContaining({ code: 'ARMOR_INVALID' })
  expect(() => encodeArmor(new Uint8Array())).toThrow(refused)
  expect(() => decodeArmor('-----BEGIN SEALPOOL FILE-----\n-----END SEALPOOL FILE-----\n')).toThrow(refused)
})

test('takes blanks, tabs and line breaks around the whole, and no other white space', () => {
  const text = encodeArmor(new Uint8Array([1, 2, 3]))
  expect(decodeArmor(` \t\r\n${text}\n \t`)).toEqual(new Uint8Array([1, 2, 3]))
  for (const other of ['\v', '\f', '\u00a0', '\ufeff', '\u2028']) {
    expect(() => decodeArmor(`${other}${text}`)).toThrow(expect.objectContaining({ code: 'ARMOR_INVALID' }))
  }
})

test('is read in a time that grows with its length, also when it is blanks in the middle', () => {
  // A quadratic reader takes minutes for this, far beyond the test's own limit.
  const blanks = `-----BEGIN SEALPOOL FILE-----${' '.repeat(1_000_000)}x`
  expect(() => decodeArmor(blanks)).toThrow(expect.objectContaining({ code: 'ARMOR_INVALID' }))
})

test('carries a sealed file through CRLF and surrounding white space', async () => {
  const text = encodeArmor(await sealedOf(100))
  const mangled = `\n  ${text.replaceAll('\n', '\r\n')}  \r\n\r\n`
  const opened = await openBytes(decodeArmor(mangled), { identities: [pool] })
  expect(opened.plaintext.length).toBe(100)
})

const good = encodeArmor(new Uint8Array(100).fill(255))
const lines = good.trim().split('\n')
const joined = (...parts: readonly (string | undefined)[]) => parts.join('\n')
test.each<readonly [string, unknown]>([
  ['no text', 7],
  ['nothing', ''],
  ['another begin', good.replace('BEGIN', 'BEGAN')],
  ['another kind', good.replaceAll('SEALPOOL', 'AGE')],
  ['no end', joined(...lines.slice(0, -1))],
  ['text before it', `hello\n${good}`],
  ['text after it', `${good}hello`],
  ['a line too short', joined(lines[0], lines[1]?.slice(4), ...lines.slice(2))],
  ['a line too long', joined(lines[0], `${lines[1]}AAAA`, ...lines.slice(2))],
  ['an empty line', joined(lines[0], '', ...lines.slice(1))],
  ['a blank inside', joined(lines[0], ` ${lines[1]?.slice(1)}`, ...lines.slice(2))],
  ['url-safe letters', good.replaceAll('/', '_')],
  ['padding inside', joined(lines[0], `${lines[1]?.slice(0, 60)}AA==`, ...lines.slice(2))],
  ['too much padding', joined(lines[0], 'AA===', lines.at(-1))],
  ['missing padding', joined(lines[0], 'AA', lines.at(-1))],
  ['unused bits', joined(lines[0], 'AB==', lines.at(-1))],
  ['two files', `${good}${good}`],
])('refuses %s', async (_name, text) => {
  expect(await codeOf(() => decodeArmor(text as string))).toBe('ARMOR_INVALID')
})
