import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createPiiDetector,
  english,
  german,
  type PiiType,
  piiLocales,
  piiTypes,
  polish,
  redactPii,
  spanish,
} from './index.js'

const detector = createPiiDetector({ locales: piiLocales })
const found = (text: string) =>
  detector.find(text).map(({ type, start, end }) => [type, text.slice(start, end)])

describe('what has a form and a check', () => {
  test.each<[string, PiiType, string]>([
    ['mail ann+x@mail.example.org.', 'email', 'ann+x@mail.example.org'],
    ['<jörg@müller.example>', 'email', 'jörg@müller.example'],
    ['see https://example.org/a?b=c). Then', 'url', 'https://example.org/a?b=c'],
    ['www.example.org/x, ok', 'url', 'www.example.org/x'],
    ['from 198.51.100.7:', 'ip', '198.51.100.7'],
    ['from 2001:db8::1 now', 'ip', '2001:db8::1'],
    ['at ::ffff:192.0.2.1 now', 'ip', '::ffff:192.0.2.1'],
    ['fe80:0:0:0:0:0:0:1', 'ip', 'fe80:0:0:0:0:0:0:1'],
    ['00-1A-2B-3C-4D-5E', 'mac', '00-1A-2B-3C-4D-5E'],
    ['001a.2b3c.4d5e', 'mac', '001a.2b3c.4d5e'],
    ['48.85837,2.29448', 'geo', '48.85837,2.29448'],
    ['48°51\'30"N 2°17\'40"E', 'geo', '48°51\'30"N 2°17\'40"E'],
    ['lat: 48.85, lon: 2.29', 'geo', '48.85, lon: 2.29'],
    ['4111111111111111', 'card', '4111111111111111'],
    ['30569309025904', 'card', '30569309025904'],
    ['de89370400440532013000 danke', 'iban', 'de89370400440532013000'],
    ['CH93 0076 2011 6238 5295 7 UND', 'iban', 'CH93 0076 2011 6238 5295 7'],
    ['1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', 'wallet', '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'],
    ['bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', 'wallet', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'],
    [
      'to 7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV.',
      'wallet',
      '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV',
    ],
    ['DNI 12345678Z', 'national-id', '12345678Z'],
    ['CPF 52998224725', 'national-id', '52998224725'],
    ['SSN 536228145', 'national-id', '536228145'],
    ['SVNR 1237 010180', 'national-id', '1237 010180'],
    ['+49 (0)30 1234567', 'phone', '+49 (0)30 1234567'],
    ['0044 20 7946 0958', 'phone', '0044 20 7946 0958'],
    [
      '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----',
      'secret',
      '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----',
    ],
    [`private key ${'ab'.repeat(32)}`, 'secret', 'ab'.repeat(32)],
    ["api_key = 'a1b2c3d4'", 'secret', 'a1b2c3d4'],
    [`seed phrase: ${'apple '.repeat(11)}zebra`, 'secret', `${'apple '.repeat(11)}zebra`],
    ['DOB 1990-11-23', 'birth-date', '1990-11-23'],
    ['am 3. Juli 1978 geboren', 'birth-date', '3. Juli 1978'],
    ['née le 1er mai 1980', 'birth-date', '1er mai 1980'],
    ['ur. 5 maja 1970', 'birth-date', '5 maja 1970'],
  ])('%s', (text, type, expected) => {
    expect(found(text)).toEqual([[type, expected]])
  })

  test.each([
    ['a card with a wrong check digit', '4111 1111 1111 1112'],
    ['a card of no network', '9999 9999 9999 9995'],
    ['a card of the wrong length', '411111111111116'],
    ['an account with a wrong check', 'DE88370400440532013000'],
    ['an account of no country', 'ZZ89370400440532013000'],
    ['a part of a longer account', 'DE893704004405320130001'],
    ['a wallet with a wrong checksum', '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3'],
    ['a bech32 wallet with a wrong checksum', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdw'],
    ['a transaction hash', `0x${'ab'.repeat(32)}`],
    ['44 letters that are more than 32 bytes', 'zEcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtVz'],
    ['43 letters in one case', 'abcdefghijkmnopqrstuvwxyzabcdefghijkmnopqrs1'.slice(0, 43)],
    ['an identity with a wrong letter', 'DNI 12345678A'],
    ['a taxpayer with a wrong check', 'CPF 529.982.247-26'],
    [
      'a social security number that is not issued',
      '666-12-3456 000-12-3456 900-12-3456 123-00-4567 123-45-0000',
    ],
    ['a PESEL with a wrong check', '44051401358'],
    ['a tax number with a wrong check', '86 095 742 718'],
    ['an AHV number with a wrong check', '756.9217.0769.84'],
    ['a BSN with a wrong check', 'BSN 111222334'],
    ['a NIR with a wrong key', '2 83 09 69 123 456 57'],
    ['an Italian code with a wrong letter', 'RSSMRA85T10A562T'],
    ['an insurance number with a wrong check', '65170839J004'],
    ['a Belgian number with a wrong check', '93.05.18-223.62'],
    ['an NHS number with a wrong check', 'NHS 9434765918'],
    ['a NIF with a wrong check', 'NIF 123456788'],
    ['octets above 255', '256.1.1.1 1.2.3.999'],
    ['a version', 'version 10.0.19.1'],
    ['times', '12:34:56 and 1:2:3'],
    ['nothing but colons', '::'],
    ['coordinates outside of the globe', '95.12345, 12.12345'],
    ['an e-mail without a domain', 'ann@localhost'],
    ['a date that is no birthday', 'delivered on 1990-11-23'],
    ['digits in a longer number', '+4930'],
    ['a bare number with zeros', '0012345678901'],
    ['a given name alone', 'Grace came in'],
    ['a month after a given name', 'Anna March'],
  ])('refuses %s', (_, text) => {
    expect(found(text)).toEqual([])
  })
})

describe('what is written otherwise and read as the same', () => {
  const card = '4111 1111 1111 1111'
  const otherwise = (text: string, zero: number) =>
    text.replace(/[0-9]/g, (digit) => String.fromCodePoint(zero + Number(digit)))
  test.each<[string, string, PiiType]>([
    ['full-width digits', otherwise(card, 0xff10), 'card'],
    ['full-width digits and spaces', otherwise(card, 0xff10).replaceAll(' ', '\u3000'), 'card'],
    ['bold mathematical digits', otherwise(card, 0x1d7ce), 'card'],
    ['monospaced mathematical digits', otherwise(card, 0x1d7f6), 'card'],
    ['Arabic digits', otherwise(card, 0x660), 'card'],
    ['Devanagari digits', otherwise(card, 0x966), 'card'],
    ['no-break spaces', card.replaceAll(' ', '\u00a0'), 'card'],
    ['narrow spaces', card.replaceAll(' ', '\u202f'), 'card'],
    ['no-break hyphens', card.replaceAll(' ', '\u2011'), 'card'],
    ['zero-width spaces', card.replaceAll(' ', '\u200b'), 'card'],
    ['zero-width spaces everywhere', [...card].join('\u200b'), 'card'],
    ['a byte order mark inside', '4111\ufeff111111111111', 'card'],
    ['soft hyphens', 'ann\u00ad.miller@exam\u00adple.org', 'email'],
    ['a zero-width space in the first letters', 'a\u200bnn@example.org', 'email'],
    ['word joiners', 'ann\u2060@\u2060example.org', 'email'],
    ['marks of direction', 'ann@\u200eexample\u202c.org', 'email'],
    ['variation selectors', 'ann\ufe0e@example\u{e0100}.org', 'email'],
    ['a Hangul filler', 'ann\u3164@example.org', 'email'],
    ['tag characters', 'ann\u{e0061}@example.org', 'email'],
    ['full-width letters', 'ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ', 'email'],
    ['script letters', '𝓪𝓷𝓷@example.org', 'email'],
    ['accents behind their letters', 'jo\u0308rg@mu\u0308ller.example', 'email'],
    ['a wallet with a joiner', `0x${'ab'.repeat(10)}\u200d${'ab'.repeat(10)}`, 'wallet'],
    ['dashes of ranges', card.replaceAll(' ', '\u2013'), 'card'],
    ['minus signs', card.replaceAll(' ', '\u2212'), 'card'],
    ['a phone with a dash', '+49\u201330\u20131234567', 'phone'],
    ['blanks of Braille', card.replaceAll(' ', '\u2800'), 'card'],
    ['keycaps', card.replace(/[0-9]/g, '$&\ufe0f\u20e3'), 'card'],
    ['struck digits', card.replace(/[0-9]/g, '$&\u0336'), 'card'],
    ['accents on digits', card.replace(/[0-9]/g, '$&\u0301'), 'card'],
    ['many marks on a digit', card.replace('4', '4\u0301\u0302\u0303\u0304\u0305\u0306\u0307'), 'card'],
    ['marks on full-width digits', otherwise(card, 0xff10).replaceAll('\uff11', '\uff11\u0336'), 'card'],
    ['small forms', 'bob\ufe6bexample\ufe52com', 'email'],
    ['a one-dot leader', 'bob@example\u2024com', 'email'],
    ['an accent that has no form with its letter', 'b\u0301ob@example.com', 'email'],
    ['a full-width account', 'ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００', 'iban'],
  ])('%s', (_, written, type) => {
    const text = `see ${written}, é ① and more`
    expect(found(text)).toEqual([[type, written]])
    // What stands around it is not part of it, whatever it is made of.
    expect(found(`\u200b ${written}\u200b\u2003x`)).toEqual([[type, written]])
    expect(redactPii(text, { detector, mode: 'drop' }).text).toBe('see , é ① and more')
  })

  test('equal values get one token and one hash, however they are written', () => {
    const text = `${card} ${otherwise(card, 0xff10)}; ann@example.org a\u200bnn@example.org ＡＮＮ@example.org`
    expect(redactPii(text, { detector, mode: 'token' }).text).toBe(
      '[card:1] [card:1]; [email:1] [email:1] [email:1]',
    )
    expect(redactPii(otherwise('192.0.2.1', 0xff10), { detector, mode: 'generalise' }).text).toBe(
      '192.0.0.0/16',
    )
  })

  test('a note in superscript behind a number hides nothing', () => {
    expect(found(`${card}¹ and ${card}①`)).toHaveLength(0)
    expect(found(`${card} ¹`)).toEqual([['card', card]])
  })

  test('folding hides nothing that is found as it is written', () => {
    // Read without its zero-width space the number is a part of a longer word.
    expect(found(`x\u200b${card}\u200bx`)).toEqual([['card', card]])
    expect(found(`\u2010${card}`)).toEqual([['card', card]])
  })

  const things = [
    'bob.lee@example.com',
    'alice@geheim-klinik.org',
    card,
    'DE89 3704 0044 0532 0130 00',
    '203.0.113.9',
    '00:1b:63:84:45:e6',
    'https://example.com/u/bob',
    '+49 30 1234567',
    '0x52908400098527886E0F7030069857D2E4169EE7',
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`,
    `ghp_${'16C7e42F292c6912E7710c838347Ae178B4a'}`,
    '52.5200, 13.4050',
    'Dr. Smith',
    'password: hunter2xyz',
    'born 12 March 1984',
    'SSN 219-09-9999',
    'word',
  ]
  const unseen = ['\u200b', '\u00ad', '\ufeff', '\u2010', '\u2060', '\u200d', '\u00a0', '\u3000']
  const few = createPiiDetector({ locales: [english, german] })
  const covered = (text: string) => {
    const units = new Uint8Array(text.length)
    for (const { start, end } of few.find(text)) units.fill(1, start, end)
    return units
  }
  /** What is covered with a separator that is not folded, and in clear with one that is; white space is compared with white space. */
  const lost = (parts: readonly string[], separator: string): string => {
    const other = /\s/.test(separator) ? '\v' : '\u0001'
    const plain = parts.join(other)
    const [before, after] = [covered(plain), covered(parts.join(separator))]
    return [...plain].filter((unit, at) => unit !== other && before[at] === 1 && after[at] === 0).join('')
  }
  test('no cover is lost where two things are drawn together', () => {
    const losses = unseen.slice(0, 4).flatMap((separator) =>
      things.flatMap((first) =>
        things.flatMap((second) => {
          const clear = lost([first, second], separator)
          return clear === '' ? [] : [[first, separator, second, clear]]
        }),
      ),
    )
    expect(losses).toEqual([])
    const [mail, key] = ['bob.lee@example.com', `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`]
    const token = (text: string) => redactPii(text, { detector, mode: 'token' }).text
    expect(token(`${card}\u200b${mail}`)).toBe('[card:1]\u200b[email:1]')
    expect(token(`${key}\u200b${key.toLowerCase()}`)).toBe('[secret:1]\u200b[secret:2]')
    // What was found as two things stays two, and a stronger type is not given up for a weaker one that reaches further.
    expect(token(`${key}\u200b4111111111111111`)).toBe('[secret:1]\u200b[card:1]')
    const types = few.find(`https://exa\u200bmple.com/x\u200b${key}`).map(({ type }) => type)
    expect(types).toContain('secret')
  })

  test('no cover is lost in any row of things', () => {
    const thing = fc.oneof(fc.constantFrom(...things), fc.string({ maxLength: 4, unit: 'grapheme-ascii' }))
    fc.assert(
      fc.property(
        fc.array(thing, { minLength: 3, maxLength: 6 }),
        fc.constantFrom(...unseen),
        (parts, separator) => {
          expect(lost(parts, separator)).toBe('')
        },
      ),
      { numRuns: 300 },
    )
  })

  test('places are those of the original in any text', () => {
    const odd = fc.constantFrom(
      '\u200b',
      '\u00ad',
      'é',
      'e\u0301',
      '𝟘',
      '\ud800',
      '🙂',
      'ﬃ',
      '٣',
      '\u00a0',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 8 }), fc.array(odd, { maxLength: 8 }), (before, after) => {
        const text = `${before.join('')} ann@example.org ${after.join('')}`
        const start = before.join('').length + 1
        expect(found(text)).toContainEqual(['email', text.slice(start, start + 15)])
      }),
    )
  })
})

describe('names', () => {
  test.each([
    [german, 'Frau Schubert Bescheid geben', 'Schubert'],
    [german, 'Herr Dr. Hans-Peter von der Leyen kam', 'Hans-Peter von der Leyen'],
    [english, 'Mr. John F. Kennedy spoke', 'John F. Kennedy'],
    [english, 'my name is Xiaoming Zhao and', 'Xiaoming Zhao'],
    [spanish, 'Me llamo Ana García Lorca.', 'Ana García Lorca'],
    [polish, 'Cześć Kinga!', 'Kinga'],
  ])('%#', (locale, text, name) => {
    const [only, ...more] = createPiiDetector({ locales: [locale] }).find(text)
    expect(more).toEqual([])
    expect(text.slice(only?.start, only?.end)).toBe(name)
  })
  test('a language that was not asked for is not looked for', () => {
    expect(createPiiDetector({ locales: [english] }).find('Frau Schubert, DNI 12345678Z')).toEqual([])
    expect(
      createPiiDetector({ locales: piiLocales, types: ['ip'] }).find('a@b.example 192.0.2.1'),
    ).toHaveLength(1)
  })
})

describe('any text', () => {
  test('that two findings share is covered with what is left of both', () => {
    const email = createPiiDetector({ locales: [], types: ['email', 'url'] })
    const text = 'see https://example.org/ann@example.org/orders now'
    const spans = email.find(text).map(({ type, start, end }) => [type, text.slice(start, end)])
    expect(spans).toEqual([
      ['url', 'https://example.org'],
      ['email', 'ann@example.org'],
      ['url', 'orders'],
    ])
  })

  const beside = [
    ['4111111111111111', '[card]'],
    ['DE89370400440532013000', '[iban DE]'],
    ['+49301234567', '[phone]'],
    ['219-09-9999', '[national-id]'],
    ['0x52908400098527886E0F7030069857D2E4169EE7', '[wallet]'],
    ['00:1b:63:84:45:e6', '[mac]'],
    ['203.0.113.9', '203.0.0.0/16'],
  ] as const
  test.each(
    [',', ';', '|', '\u200b', '\u00ad'].flatMap((separator) => beside.map((thing) => [separator, ...thing])),
  )(
    'what is left of an address on the web takes nothing that stands whole in it: %j %s',
    (separator, thing, label) => {
      const us = createPiiDetector({ locales: [english] })
      const text = ['https://shop.example', thing, 'ann@example.org'].join(separator)
      const redacted = redactPii(text, { detector: us, mode: 'generalise' })
      // A bar ends an address: before one it is whole.
      const address = separator === '|' ? 'https://shop.example' : '[url]'
      expect(redacted.text).toBe([address, label, '[email]'].join(separator))
      expect(redacted.findings.map(({ type }) => type)).toEqual([
        'url',
        detector.find(thing)[0]?.type,
        'email',
      ])
    },
  )

  test('what an address on the web is kept for does not keep what stands whole in the rest of it', () => {
    const redacted = redactPii('https://shop.example/p?c=4111111111111111&m=ann@example.org', {
      detector,
      mode: 'token',
      modes: { url: 'keep' },
    })
    expect(redacted.text).toBe('https://shop.example/p?c=[card:1]&m=[email:1]')
  })

  test('whatever wins where the losers are left out is found with its type', () => {
    // In the order of ranks, each type looked for alone.
    const ranked = ['email', 'url', 'wallet', 'iban', 'card', 'national-id', 'mac', 'ip', 'phone'] as const
    const alone = ranked.map((type) => createPiiDetector({ locales: [english], types: [type] }))
    const all = createPiiDetector({ locales: [english], types: ranked })
    const thing = fc.constantFrom(
      ...beside.map(([text]) => text),
      'https://shop.example/a',
      'ann@example.org',
    )
    const row = fc.array(fc.tuple(thing, fc.constantFrom(',', ';', '/', '?q=', '&', ' ', '|')), {
      maxLength: 6,
    })
    fc.assert(
      fc.property(row, (parts) => {
        const text = parts.flat().join('')
        const winners: { type: PiiType; start: number; end: number }[] = []
        for (const one of alone) {
          for (const { type, start, end, part } of one.find(text)) {
            const free = winners.every((winner) => winner.end <= start || winner.start >= end)
            if (part !== true && free) winners.push({ type, start, end })
          }
        }
        const given = all.find(text)
        for (const winner of winners) expect(given).toContainEqual(expect.objectContaining(winner))
      }),
      { numRuns: 500 },
    )
  })

  test('gives ordered findings without overlaps, inside of the text', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        'a@b.example',
        ' +49 30 123456',
        '4111 1111 1111 1111',
        'Dear Anna ',
        '192.0.2.1',
        'https://x.example',
        '0x',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        let at = 0
        for (const { start, end, type } of detector.find(text)) {
          expect(start).toBeGreaterThanOrEqual(at)
          expect(end).toBeGreaterThan(start)
          expect(piiTypes).toContain(type)
          at = end
        }
        expect(at).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['a', 'a'],
    ['digits', '1'],
    ['dots', 'a.'],
    ['digit groups', '1 '],
    ['at signs', 'a@'],
    ['colons', 'a:'],
    ['capitals', 'Anna '],
    ['titles', 'Mr '],
    ['slashes', 'http://'],
    ['dashes', '-----BEGIN PRIVATE KEY-----'],
    ['zeros and x', '0x0'],
    ['base64', 'eyJaaaaaaaaaaa.'],
    ['initials', 'A. '],
    ['spaces', ' '],
    ['cues', 'born born '],
    ['passwords', 'password: '],
    ['words', 'seed phrase: apple '],
    ['zero-width spaces', '\u200b'],
    ['letters with zero-width spaces', 'a\u200b'],
    ['full-width digits', '４'],
    ['marks without a letter', '\u0301\u0327'],
    ['mathematical digits', '𝟘'],
  ])('takes time that grows with its length: %s', (_, unit) => {
    const time = (length: number) => {
      const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
      const started = performance.now()
      detector.find(text)
      return performance.now() - started
    }
    time(10_000)
    // Eight times the length; quadratic time would be 64 times as long. A machine that does other things meanwhile can only make
    // a run longer, so the shortest of several runs is compared.
    let [short, long] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let turn = 0; turn < 12 && !(long < 30 * short + 200); turn += 1) {
      short = Math.min(short, time(20_000))
      long = Math.min(long, time(160_000))
    }
    expect(long).toBeLessThan(30 * short + 200)
  })

  test('of more than 16 Mi units is refused', () => {
    expect(() => detector.find('a'.repeat(16 * 1024 * 1024 + 1))).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'text' }),
    )
  })
  test('an unknown type is refused', () => {
    expect(() => createPiiDetector({ locales: [], types: ['ip', 'x' as PiiType] })).toThrow(
      expect.objectContaining({ place: 'types' }),
    )
  })
})

describe('redaction', () => {
  const text =
    'Dear Anna Miller, 203.0.113.9 and 2001:db8::7 born 7 May 1980 at 51.50735, -0.12776, ann@example.org; ANN@example.org https://user.example/secret'
  const key = new Uint8Array(32).fill(3)
  const redact = (mode: Parameters<typeof redactPii>[1]['mode']) =>
    redactPii(text, { detector, mode, key }).text

  test('drops, masks, counts and coarsens', () => {
    expect(redact('keep')).toBe(text)
    expect(redact('drop')).toBe('Dear ,  and  born  at , ;  ')
    expect(redact('mask')).toContain(
      'Dear **** ******, ***.*.***.* and ****:***::* born * *** **** at **.*****, -*.*****',
    )
    expect(redact('token')).toBe(
      'Dear [name:1], [ip:1] and [ip:2] born [birth-date:1] at [geo:1], [email:1]; [email:1] [url:1]',
    )
    expect(redact('generalise')).toBe(
      'Dear [name], 203.0.0.0/16 and 2001:db8::/32 born 1980 at 51.5, -0.1, [email]; [email] https://user.example',
    )
  })

  test.each([
    ['https://shop.example/p?x', 'https://shop.example'],
    ['https://a-b.shop.example:8443#x', 'https://a-b.shop.example:8443'],
    ['https://shop.example', 'https://shop.example'],
    // What is no name of a host, as a number behind it, goes with the rest.
    ['https://shop.example,4111111111111111', '[url]'],
    ['https://shop.example;4111111111111111/x', '[url]'],
    ['https://shop.example:4111111111111111', '[url]'],
    ['https://203.0.113.9/x', '[url]'],
    ['https://4111111111111111/x', '[url]'],
    // A part is no whole: of an account the country, of an address the host.
    ['https://ann.lee:pw123456@example.org/x', '[url]:[email]/[url]'],
    ['https://ann.lee/bob@example.org', '[url]/[email]'],
    ['https://203.0.113.9/a@example.org', '[url]://203.0.0.0/16/[email]'],
  ])('coarsens an address on the web to the name of its host: %s', (text, coarse) => {
    expect(redactPii(text, { detector, mode: 'generalise' }).text).toBe(coarse)
  })

  test('a sign that is written otherwise belongs to its place on the earth', () => {
    const [south, north] = ['\u221233.8688, 151.2093', '33.8688, 151.2093']
    expect(found(south)).toEqual([['geo', south]])
    expect(redactPii(`${south}; ${north}`, { detector, mode: 'token' }).text).toBe('[geo:1]; [geo:2]')
    expect(redactPii(south, { detector, mode: 'generalise' }).text).toBe('-33.9, 151.2')
  })

  test('hashes under the key: equal values match, another key or type does not', () => {
    const hashes = (text: string) =>
      [...text.matchAll(/\[(?:email|name):([0-9a-f]{32})\]/g)].map(([, hash]) => hash)
    const [name, first, second] = hashes(redact('hash'))
    expect(first).toBe(second)
    expect(name).not.toBe(first)
    const other = redactPii(text, { detector, mode: 'hash', key: new Uint8Array(32).fill(4) })
    expect(hashes(other.text)[1]).not.toBe(first)
    expect(() => redactPii(text, { detector, mode: 'drop', modes: { ip: 'hash' } })).toThrow(
      expect.objectContaining({ place: 'key' }),
    )
  })

  test('goes by type where a type has a mode of its own', () => {
    const { text: redacted } = redactPii('a@b.example 192.0.2.1', {
      detector,
      mode: 'drop',
      modes: { ip: 'keep' },
    })
    expect(redacted).toBe(' 192.0.2.1')
  })

  test('equal values in different writing get one token', () => {
    const { text: redacted } = redactPii(
      '4111 1111 1111 1111, 4111-1111-1111-1111, +49 30 1234567, 0049 30 1234567',
      {
        detector,
        mode: 'token',
      },
    )
    expect(redacted).toBe('[card:1], [card:1], [phone:1], [phone:1]')
  })

  test('gives evidence without a word of the text', () => {
    const evidence = JSON.stringify({ ...redactPii(text, { detector, mode: 'drop' }), text: '' })
    for (const word of ['Anna', 'Miller', '203', 'db8', '1980', '51.5', 'ann', 'secret'])
      expect(evidence).not.toContain(`${word}`)
    expect(redactPii(text, { detector, mode: 'drop' }).counts).toEqual({
      name: 1,
      ip: 2,
      'birth-date': 1,
      geo: 1,
      email: 2,
      url: 1,
    })
  })

  test('leaves nothing of what was found, in any mode but keep', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('drop', 'mask', 'hash', 'token', 'generalise'),
        fc.integer({ min: 1, max: 9 }),
        (mode, count) => {
          const given = Array.from(
            { length: count },
            (_, index) => `user${index}x@mail.example 4111 1111 1111 1111 `,
          ).join('')
          const { text: redacted } = redactPii(given, { detector, mode, key })
          expect(redacted).not.toMatch(/user|4111|mail\./)
        },
      ),
    )
  })
})
