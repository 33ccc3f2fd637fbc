import { describe, expect, it } from 'vitest'
import { derTag } from '../encoding/der.js'
import type { Certificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { der, derNumber, derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import { pckPlatform } from './pck-extension.js'

// The SGX extension put together part by part, with one wrong thing each.

const base = '1.2.840.113741.1.13.1'
const pair = (oid: string, ...values: Uint8Array[]) => derSequence(derOid(`${base}.${oid}`), ...values)
const svns = Array.from({ length: 16 }, (_, i) => pair(`2.${i + 1}`, derNumber(i)))
const rest = [pair('2.17', derNumber(300)), pair('2.18', derOctets(new Uint8Array(16)))]

interface Change {
  readonly components?: readonly Uint8Array[]
  readonly pceId?: Uint8Array
  readonly fmspc?: Uint8Array
  readonly more?: readonly Uint8Array[]
}
function read(change: Change = {}): unknown {
  const fields = [
    pair('1', derOctets(new Uint8Array(16))),
    pair('2', derSequence(...(change.components ?? [...svns, ...rest]))),
    change.pceId ?? pair('3', derOctets(Uint8Array.of(0, 7))),
    change.fmspc ?? pair('4', derOctets(Uint8Array.of(1, 2, 3, 4, 5, 6))),
    ...(change.more ?? []),
  ]
  return readValue(derSequence(...fields))
}
function readValue(value: Uint8Array): unknown {
  try {
    return pckPlatform({ extensions: new Map([[base, value]]) } as unknown as Certificate)
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}
const component = (first: Uint8Array) => ({ components: [first, ...svns.slice(1), ...rest] })
const number = (...octets: number[]) => der(derTag.integer, Uint8Array.from(octets))

describe('the SGX extension of a PCK certificate', () => {
  it('is read field by field', () => {
    expect(read()).toEqual({
      fmspc: '010203040506',
      pceId: '0007',
      pceSvn: 300,
      sgxComponents: Array.from({ length: 16 }, (_, i) => i),
    })
    expect(read({ components: [...rest, ...svns].reverse() })).toEqual(read())
    expect(read(component(pair('2.1', derNumber(255))))).toMatchObject({ sgxComponents: { 0: 255 } })
  })

  it.each<[string, string, Change]>([
    ['an attribute of three parts', '.2', component(pair('2.1', derNumber(1), derNumber(1)))],
    ['an attribute without a value', '.2', component(pair('2.1'))],
    ['an empty attribute', '.2', component(derSequence())],
    ['an attribute that is no pair', '.2', component(derNumber(1))],
    ['a name that is no OID', '.2', component(derSequence(derNumber(1), derNumber(1)))],
    ['a name of another arc', '.2', component(derSequence(derOid('1.2.840.113741.1.13.2.1'), derNumber(1)))],
    // The text of its name begins with the arc's, and its arc is another one.
    ['a name of a longer arc', '.2', component(derSequence(derOid(`${base}.21`), derNumber(1)))],
    ['a name of the outer arc', '', { more: [derSequence(derOid('1.2.840.113741.1.13.2'), derNumber(1))] }],
    ['an attribute twice', '.2.1', { components: [...svns, ...rest, svns[0] ?? rest[0]] as Uint8Array[] }],
    ['an attribute twice, outside', '.3', { more: [pair('3', derOctets(Uint8Array.of(0, 7)))] }],
    ['a missing component', '.2.1', { components: [...svns.slice(1), ...rest] }],
    ['a missing PCE SVN', '.2.17', { components: svns }],
    ['an SVN that is no INTEGER', '.2.1', component(pair('2.1', derOctets(Uint8Array.of(1))))],
    ['a negative SVN', '.2.1', component(pair('2.1', number(0x80)))],
    ['an SVN above a byte', '.2.1', component(pair('2.1', number(1, 0)))],
    ['an SVN of four bytes', '.2.17', { components: [...svns, pair('2.17', number(1, 0, 0, 0))] }],
    ['a PCE SVN above two bytes', '.2.17', { components: [...svns, pair('2.17', number(1, 0, 0))] }],
    ['no components', '.2.1', { components: [] }],
    ['a PCE id of three bytes', '.3', { pceId: pair('3', derOctets(new Uint8Array(3))) }],
    ['a PCE id of one byte', '.3', { pceId: pair('3', derOctets(new Uint8Array(1))) }],
    ['a PCE id that is a number', '.3', { pceId: pair('3', number(1, 0)) }],
    ['an FMSPC of five bytes', '.4', { fmspc: pair('4', derOctets(new Uint8Array(5))) }],
    ['no FMSPC', '.4', { fmspc: pair('5', derOctets(new Uint8Array(6))) }],
  ])('refuses %s', (_, place, change) => {
    expect(read(change)).toBe(`BAD_CERTIFICATE pck.sgxExtension${place}`)
  })

  it('refuses a value that is no SEQUENCE', () => {
    expect(readValue(derOctets(new Uint8Array(4)))).toBe('BAD_CERTIFICATE pck.sgxExtension')
    const inner = derSequence(pair('2', derOctets(new Uint8Array(4))))
    expect(readValue(inner)).toBe('BAD_CERTIFICATE pck.sgxExtension.2')
    expect(readValue(derSequence())).toBe('BAD_CERTIFICATE pck.sgxExtension.2')
  })
})
