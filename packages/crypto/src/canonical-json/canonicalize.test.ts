import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CryptoError } from '../errors.js'
import { canonicalBytes, digestOf, parseCanonical } from './canonical-bytes.js'
import { canonicalize, type JsonValue, maximumJsonDepth } from './canonicalize.js'

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
  return 'accepted'
}

describe('RFC 8785 vectors', () => {
  // RFC 8785 appendix B: IEEE 754 bits and the text they must have.
  const numbers: readonly (readonly [string, string])[] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ]
  test.each(numbers)('writes the number with bits %s as %s', (bits, text) => {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, BigInt(`0x${bits}`))
    expect(canonicalize(view.getFloat64(0))).toBe(text)
  })

  test.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('refuses the bits %s', (bits) => {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, BigInt(`0x${bits}`))
    expect(codeOf(() => canonicalize(view.getFloat64(0)))).toBe('JSON_INVALID')
  })

  test('writes the sample of section 3.2.4 byte for byte', () => {
    const sample = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    ) as JsonValue
    expect(canonicalize(sample)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  test('orders the names of section 3.2.3 by UTF-16 code units', () => {
    const names = {
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\ud83d\ude00': 5,
      '\u0080': 6,
      '\u00f6': 7,
    }
    expect(canonicalize(names)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\ud83d\ude00":5,"\ufb33":3}')
  })
})

describe('canonicalize', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = [cycle]
  const sparse: unknown[] = []
  sparse[1] = 1
  const refused: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['a member that is undefined', { a: undefined }],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a symbol member', { [Symbol('s')]: 1 }],
    ['a bigint', 1n],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a cycle', cycle],
    ['a hole', sparse],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', new Uint8Array(2)],
    ['a lone high surrogate', 'a\ud800b'],
    ['a lone low surrogate', '\udc00'],
    ['reversed surrogates', '\udc00\ud800'],
    ['a name with a lone surrogate', { '\ud800': 1 }],
  ]
  test.each(refused)('refuses %s', (_name, value) => {
    expect(codeOf(() => canonicalize(value as JsonValue))).toBe('JSON_INVALID')
  })

  test('accepts the same object twice, which is no cycle', () => {
    const shared = { x: 1 }
    expect(canonicalize([shared, shared])).toBe('[{"x":1},{"x":1}]')
  })

  test('accepts objects without a prototype and a member named __proto__', () => {
    const value = Object.create(null) as Record<string, JsonValue>
    value['a'] = JSON.parse('{"__proto__":1}') as JsonValue
    expect(canonicalize(value)).toBe('{"a":{"__proto__":1}}')
  })

  test('stops at the depth limit and not before', () => {
    let value: JsonValue = 0
    for (let depth = 0; depth < maximumJsonDepth; depth++) value = [value]
    expect(canonicalize(value).length).toBe(2 * maximumJsonDepth + 1)
    expect(codeOf(() => canonicalize([value]))).toBe('JSON_TOO_DEEP')
  })

  test('counts out the place, and shows neither values nor names of members', () => {
    const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as JsonValue
    for (const [bad, place] of [
      ['secret\ud800', '{0}[0]{1}'],
      [deep, '{0}[0]{1}[0]'],
    ] as const) {
      try {
        canonicalize({ people: [{ alice: 1, bob: bad }], later: 2 } as JsonValue)
        expect.unreachable()
      } catch (error) {
        // In canonical order `later` comes first.
        expect((error as CryptoError).place).toContain(`$${place.replace('{0}', '{1}')}`)
        expect((error as CryptoError).message).not.toMatch(/secret|people|alice|bob/)
      }
    }
  })

  test('does not depend on the order of members, and reads back', () => {
    const reversed = (part: JsonValue): JsonValue =>
      Array.isArray(part)
        ? part.map(reversed)
        : part !== null && typeof part === 'object'
          ? Object.fromEntries(
              Object.entries(part)
                .reverse()
                .map(([name, member]) => [name, reversed(member as JsonValue)]),
            )
          : part
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = value as JsonValue
        expect(canonicalize(reversed(json))).toBe(canonicalize(json))
        expect(canonicalize(parseCanonical(canonicalBytes(json)))).toBe(canonicalize(json))
      }),
    )
  })
})

describe('parseCanonical', () => {
  test.each([
    ['white space', '{"a": 1}'],
    ['members out of order', '{"b":1,"a":2}'],
    ['a duplicate name', '{"a":1,"a":1}'],
    ['another form of a number', '[1.0]'],
    ['minus zero', '[-0]'],
    ['a number that is rounded', '[9007199254740993]'],
    ['an escape that is not needed', String.raw`["\u0041"]`],
    ['a trailing line end', '1\n'],
  ])('refuses %s', (_name, text) => {
    expect(codeOf(() => parseCanonical(text))).toBe('JSON_NOT_CANONICAL')
    expect(codeOf(() => parseCanonical(new TextEncoder().encode(text)))).toBe('JSON_NOT_CANONICAL')
  })

  test.each([
    ['no JSON', new TextEncoder().encode('{')],
    ['a byte order mark', new Uint8Array([0xef, 0xbb, 0xbf, 0x31])],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['an overlong encoding', new Uint8Array([0x22, 0xc0, 0x80, 0x22])],
    ['an escaped lone surrogate', new TextEncoder().encode(String.raw`"\ud800"`)],
  ])('refuses %s', (_name, bytes) => {
    expect(codeOf(() => parseCanonical(bytes))).toBe('JSON_INVALID')
  })

  test('answers hostile nesting with a typed error', () => {
    expect(codeOf(() => parseCanonical('['.repeat(200_000) + ']'.repeat(200_000)))).toMatch(
      /JSON_(TOO_DEEP|INVALID)/,
    )
  })

  test('gives a value or a typed error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(codeOf(() => parseCanonical(bytes))).toMatch(/^(accepted|JSON_)/)
      }),
    )
  })
})

test('digestOf is the SHA-256 of the canonical bytes', () => {
  // SHA-256 of the two bytes {} (computed with coreutils sha256sum).
  expect(digestOf({})).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
})
