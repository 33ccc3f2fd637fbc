// Changes to real files and what becomes of them; deterministic, so that a failure can be repeated.
import { collateralReader, intelCertificates } from './dcap.mjs'
import { snpMaterial } from './snp.mjs'
import { createTally } from './tally.mjs'

const latin = new TextDecoder('latin1')

/** Numbers that look random and are the same in every run (xorshift32). */
function numbers(seed) {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const concat = (...parts) => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

const flipped = (bytes, at, bit) => {
  const copy = bytes.slice()
  copy[at] ^= 1 << bit
  return copy
}

/** Cuts, repeats, fills and length-like numbers, anywhere. */
function* blindChanges(bytes, count, seed) {
  const next = numbers(seed)
  for (let i = 0; i < count && bytes.length > 8; i += 1) {
    const at = next(bytes.length)
    const length = 1 + next(200)
    const kind = i % 6
    const copy = bytes.slice()
    if (kind === 0) yield concat(bytes.subarray(0, at), bytes.subarray(at + length))
    else if (kind === 1) yield concat(bytes.subarray(0, at + length), bytes.subarray(at))
    else if (kind === 2) yield copy.fill(next(256), at, at + length)
    else if (kind === 3) yield bytes.slice(0, at)
    else if (kind === 4) yield copy.copyWithin(at, next(bytes.length), next(bytes.length))
    else {
      new DataView(copy.buffer).setUint32(
        Math.min(at, copy.length - 4),
        [0, 1, 0x7fffffff, 0xffffffff, 0x80000000][next(5)],
        true,
      )
      yield copy
    }
  }
}

/** A quote as the parts that its format has. */
function partsOf(bytes, { parseQuote }) {
  const quote = parseQuote(bytes)
  const { length } = quote.signed
  const pem = latin.decode(quote.certificationData).replace(/\0+$/, '')
  return {
    quote,
    length,
    blocks: pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [],
    fields: [
      ['header', 0, 48],
      ['body', 48, length],
      ['signature', length + 4, length + 68],
      ['attestation key', length + 68, length + 132],
    ].concat(qeFields(quote, length)),
  }
}

function qeFields(quote, length) {
  const from = length + 132 + (quote.version === 3 ? 0 : 6)
  const data = from + 450 + quote.qeAuthenticationData.length
  return [
    ['QE report', from, from + 384],
    ['QE report signature', from + 384, from + 448],
    ['QE authentication data', from + 450, data],
    ['certification data', data + 6, data + 6 + quote.certificationData.length],
  ]
}

/** The quote with other certification data, lengths kept right. */
function withCertificates(bytes, { quote, length }, text) {
  const data = new TextEncoder().encode(text)
  const [, start, end] = qeFields(quote, length)[3]
  const u32 = (value) => new Uint8Array(Uint32Array.of(value).buffer)
  const change = data.length - (end - start)
  const out = concat(bytes.subarray(0, start - 4), u32(data.length), data)
  const view = new DataView(out.buffer)
  view.setUint32(length, view.getUint32(length, true) + change, true)
  if (quote.version !== 3) view.setUint32(length + 134, view.getUint32(length + 134, true) + change, true)
  return out
}

/** What of a quote has a meaning: all but line ends and closing zeros of its PEM text, and padding. */
function meaning(bytes, { parseQuote }) {
  const { signed, trailing, certificationData } = parseQuote(bytes)
  const pem = latin.decode(certificationData).replace(/\0+$/, '').replace(/\r?\n/g, '')
  const [, start] = qeFields(parseQuote(bytes), signed.length)[3]
  const padded = trailing.some((octet) => octet !== 0)
  // Lengths before the text follow from it.
  const before = bytes.slice(0, start - 4)
  const view = new DataView(before.buffer)
  view.setUint32(signed.length, 0, true)
  if (view.getUint16(0, true) !== 3) view.setUint32(signed.length + 134, 0, true)
  return `${latin.decode(before)}|${pem}|${padded}`
}

export function runMutations({ files, library, print, every }) {
  const hex = (bytes) => library.encodeHex(bytes).slice(2)
  const context = { files, library: { ...library, hex } }
  const tally = createTally(print)
  const areas = new Map()
  const areaOf = (name) => areas.set(name, (areas.get(name) ?? 0) + 1)
  /** One changed question: a typed error or a verdict; ok only for an area that is listed. */
  const judge = (kind, what, ask, allowed) => {
    let ok = false
    try {
      ok = ask().ok
    } catch (error) {
      tally.count(kind, typeof error.code === 'string' && error.code.startsWith('BAD_'), `${what}: ${error}`)
      return
    }
    const area = ok ? allowed() : undefined
    if (area !== undefined) areaOf(area)
    tally.count(kind, !ok || area !== undefined, `${what} is ok`)
  }
  const verifySignature = remembering(library.nativeSignatures() ?? library.verifyP256)
  quoteMutations({ ...context, judge, verifySignature, every })
  snpMutations({ ...context, judge, verifySignature, every })
  parserMutations({ ...context, tally, every })
  for (const [area, count] of areas) print(`not covered by any signature: ${area} (${count} changes were ok)`)
  return tally.finish()
}

/** Answers by content: most changes leave most signatures as they were. */
function remembering(verify) {
  const answers = new Map()
  return (publicKey, message, signature) => {
    const key = [publicKey, signature, message].map((part) => latin.decode(part)).join('|')
    const known = answers.get(key)
    if (known !== undefined) return known
    if (answers.size > 5000) answers.clear()
    const answer = verify(publicKey, message, signature)
    answers.set(key, answer)
    return answer
  }
}

function quoteMutations({ files, library, judge, verifySignature, every }) {
  const certificates = intelCertificates({ files, library })
  const collateralOf = collateralReader({ files, library, certificates })
  const cases = files
    .json('cases-dcap.json')
    .filter(({ note, expect }) => note === '' && expect !== 'TCB_NOT_SUPPORTED')
  const first = [...new Map(cases.map((entry) => [entry.quote, entry])).values()]
  const real = first.flatMap((entry) => {
    const bytes = files.bytes(entry.quote)
    const collateral = collateralOf(entry).value
    const at = new Date(entry.at)
    const ask = (quote, given) => library.verifyQuote(quote, { collateral: given, at, verifySignature })
    const prepared = library.prepareCollateral(collateral, { verifySignature })
    if (!ask(bytes, prepared).ok) return []
    return [{ entry, bytes, collateral, prepared, ask, parts: partsOf(bytes, library) }]
  })
  real.forEach((one, index) => {
    const { entry, bytes, prepared, ask, parts } = one
    const same = meaning(bytes, library)
    const question = (kind, what, changed, area) =>
      judge(
        kind,
        `${entry.quote}: ${what}`,
        () => ask(changed, prepared),
        () =>
          meaning(changed, library) === same
            ? 'line ends and closing zeros of a quote’s PEM text, zero padding behind a quote'
            : area,
      )
    for (let at = index % every; at < bytes.length; at += every)
      question('quote, one bit of each byte', `byte ${at}`, flipped(bytes, at, (at * 7 + index) % 8))
    let n = 0
    for (const changed of blindChanges(bytes, 60, index + 1)) {
      n += 1
      if (n % Math.min(every, 6) === 0 && hexless(changed, bytes))
        question('quote, cuts and fills', `change ${n}`, changed)
    }
    for (const [name, start, end] of parts.fields) {
      for (const other of neighbours(real, index, every)) {
        const from = other.parts.fields.find(([field]) => field === name)
        if (from[2] - from[1] !== end - start) continue
        const changed = bytes.slice()
        changed.set(other.bytes.subarray(from[1], from[2]), start)
        if (hexless(changed, bytes))
          question('quote, parts of another', `${name} of ${other.entry.quote}`, changed, exchangeable[name])
      }
    }
    chainChanges(one, neighbours(real, index, every), question)
    for (const other of neighbours(real, index, every)) {
      for (const name of Object.keys(one.collateral)) {
        if (other.collateral[name] === one.collateral[name]) continue
        const given = { ...one.collateral, [name]: other.collateral[name] }
        collateralChange({ judge, one, given, name, other, library })
      }
    }
  })
}

/** Parts that another quote of the same platform has just as authentic: the verdict being ok shows that they are. */
const exchangeable = {
  'QE report signature': 'another signature of the same platform over the same QE report',
  'certification data': 'another certificate of the same platform key',
}

/** Another file's document is fine when it is just as true: same platform, and current at this moment. */
function collateralChange({ judge, one, given, name, other, library }) {
  const documentArea = () => {
    const place = `${name} of ${other.entry.quote}`
    if (name === 'rootCaCrl' || name === 'pckCrl')
      return 'another authentic and current revocation list of the same issuer'
    if (name.endsWith('Chain')) return 'another authentic certificate of the same signer'
    const parse = name === 'tcbInfo' ? library.parseTcbInfo : library.parseQeIdentity
    const [a, b] = [parse(one.collateral[name]).value, parse(given[name]).value]
    const agrees = a.id === b.id && (a.fmspc ?? '') === (b.fmspc ?? '')
    return agrees ? 'another authentic and current document about the same platform' : `WRONG ${place}`
  }
  judge(
    'collateral, parts of another',
    `${name} of ${other.entry.quote}`,
    () => one.ask(one.bytes, given),
    () => {
      const area = documentArea()
      return area.startsWith('WRONG') ? undefined : area
    },
  )
}

const hexless = (a, b) => a.length !== b.length || a.some((octet, i) => octet !== b[i])
const neighbours = (list, index, every) =>
  [1, 7, 13].slice(0, every === 1 ? 3 : 1).flatMap((step) => {
    const other = list[(index + step) % list.length]
    return other === undefined || other === list[index] ? [] : [other]
  })

function chainChanges({ bytes, parts }, others, question) {
  const { blocks } = parts
  if (blocks.length !== 3) return
  const ask = (what, list, joint = '\n', area = undefined) =>
    question('quote, certificates', what, withCertificates(bytes, parts, `${list.join(joint)}${joint}`), area)
  const [leaf, authority, root] = blocks
  ask('line ends CRLF', blocks, '\r\n')
  ask('reversed', [...blocks].reverse(), '\n', 'the order of a quote’s certificates')
  ask('without root', [leaf, authority])
  ask('without authority', [leaf, root])
  ask('without leaf', [authority, root])
  ask('leaf twice', [leaf, ...blocks])
  ask('root twice', [...blocks, root])
  ask('ten times', Array.from({ length: 10 }, () => blocks).flat())
  ask('none', [])
  for (const { parts: other } of others) {
    if (other.blocks.length !== 3) continue
    for (let i = 0; i < 3; i += 1) {
      if (other.blocks[i].replace(/\s/g, '') === blocks[i].replace(/\s/g, '')) continue
      ask(
        `certificate ${i} of another`,
        blocks.with(i, other.blocks[i]),
        '\n',
        exchangeable['certification data'],
      )
    }
  }
}

function snpMutations({ files, library, judge, verifySignature, every }) {
  const entries = files.json('index.json').filter(({ kind, vek }) => kind === 'snp-report' && vek?.sigOk)
  entries.forEach((entry, index) => {
    const report = files.bytes(entry.path)
    const { certificates, crl, at } = snpMaterial(entry, { files, library })
    const open = crl === undefined ? ['crl', 'crl-dates', 'not-revoked'] : []
    // A question that stays open for want of a list does not count: all others must hold for `ok`.
    const ask = (bytes, given, list) => {
      const { checks } = library.verifySnpReport(bytes, {
        certificates: given,
        at,
        verifySignature,
        ...(list && { crl: list }),
      })
      return { ok: checks.every(({ id, result }) => result === 'pass' || open.includes(id)) }
    }
    if (!ask(report, certificates, crl).ok) return
    const none = () => undefined
    const length = Math.min(report.length, 1184)
    for (let i = index % every; i < length; i += every)
      judge(
        'SEV-SNP report, one bit of each byte',
        `${entry.path}: byte ${i}`,
        () => ask(flipped(report, i, (i * 5 + index) % 8), certificates, crl),
        none,
      )
    certificates.forEach((der, which) => {
      for (let i = which % every; i < der.length; i += every) {
        const changed = certificates.with(which, flipped(der, i, i % 8))
        judge(
          'SEV-SNP certificates, one bit of each byte',
          `${entry.path}: certificate ${which} byte ${i}`,
          () => ask(report, changed, crl),
          none,
        )
      }
    })
    const other = entries[(index + 1) % entries.length]
    const foreign = snpMaterial(other, { files, library })
    judge(
      'SEV-SNP, parts of another',
      `${entry.path}: certificates of ${other.path}`,
      () => ask(report, foreign.certificates, crl),
      () => (hexless(foreign.certificates[0], certificates[0]) ? undefined : 'the same certificates'),
    )
    for (let i = 0; i < certificates.length; i += 1)
      judge(
        'SEV-SNP, parts left out',
        `${entry.path}: no certificate ${i}`,
        () =>
          ask(
            report,
            certificates.filter((_, n) => n !== i),
            crl,
          ),
        none,
      )
  })
}

/** Parsers of everything else: any bytes give a value or a typed error. */
function parserMutations({ files, library, tally, every }) {
  const { parseCertificate, parseRevocationList, parseFirmwareEventLog, verifyNitroDocument } = library
  const { parseDstackAttestation, parseTcbInfo, parseQeIdentity, parseOvmf, parseTdvf } = library
  const text = (parse) => (bytes) => parse(latin.decode(bytes))
  const when = { at: new Date(0) }
  const indexed = (kind) =>
    files
      .json('index.json')
      .filter((entry) => entry.kind === kind)
      .map(({ path }) => path)
  const dstack = 'Dstack-TEE__dstack/dstack'
  const subjects = [
    ['certificate', parseCertificate, indexed('cert')],
    ['revocation list', parseRevocationList, indexed('crl')],
    ['TCB info', text(parseTcbInfo), indexed('tcbInfo')],
    ['QE identity', text(parseQeIdentity), indexed('enclaveIdentity')],
    [
      'firmware event log',
      parseFirmwareEventLog,
      files
        .json('files.json')
        .filter(({ what }) => /^CCEL/.test(what ?? ''))
        .map(({ path }) => path.replace(/\.gz$/, '')),
    ],
    [
      'dstack container',
      parseDstackAttestation,
      [
        `${dstack}/dstack-attest/tests/sev_snp_attestation.bin`,
        `${dstack}/guest-agent/fixtures/attestation.bin`,
      ],
    ],
    [
      'Nitro document',
      (bytes) => verifyNitroDocument(bytes.subarray(4, -1), when),
      [`${dstack}/dstack-attest/tests/nitro_attestation.bin`],
    ],
    ['firmware for SEV-SNP', parseOvmf, ['virtee__sev-snp-measure/tests/fixtures/ovmf_AmdSev_suffix.bin']],
    ['firmware for TDX', parseTdvf, ['virtee__sev-snp-measure/tests/fixtures/ovmf_OvmfX64_suffix.bin']],
  ]
  for (const [kind, parse, paths] of subjects) {
    for (const [index, path] of paths.entries()) {
      if (!files.has(path) || (every > 1 && index % 5 !== 0)) continue
      const bytes = files.bytes(path).slice(0, 1 << 16)
      let n = 0
      for (const changed of blindChanges(bytes, every === 1 ? 120 : 12, index + 1)) {
        n += 1
        let problem
        try {
          parse(changed)
        } catch (error) {
          if (typeof error.code !== 'string' || !error.code.startsWith('BAD_')) problem = error
        }
        tally.count(`parser: ${kind}`, problem === undefined, `${path} change ${n}: ${problem?.stack}`)
      }
    }
  }
}
