// NVIDIA's SPDM measurements with their chains; what only NVIDIA can tell (revocation, reference values) stays open.
import { bytesOf, decoded, withoutMark } from './encodings.mjs'

const at = new Date('2026-11-20T00:00:00Z')
const utf8 = new TextDecoder()
const kind = 'NVIDIA SPDM report'

/** What `files.json` names, found by what stands inside: evidence as NVIDIA's SDK serialises it, reports beside chains, tokens. */
export function nvidiaCases({ files, library, tally }) {
  tally.expect(kind)
  const paths = files
    .json('files.json')
    .map(({ path }) => path.replace(/\.gz$/, ''))
    .filter((path) => files.has(path))
  for (const path of paths.filter((one) => one.endsWith('.json'))) {
    const json = jsonOf(files.peek(path))
    if (json === undefined) continue
    const entries = (Array.isArray(json) ? json : (json?.evidences ?? [json])).filter(isEvidence)
    if (entries.length > 0) {
      files.json(path)
      for (const [i, entry] of entries.entries())
        tally.attempt(kind, `${path} ${i}`, () => serialized(`${path} ${i}`, entry, library, tally))
    }
    const bundle = json?.detached_eat ?? json
    if (isTokenBundle(bundle)) {
      files.json(path)
      tally.attempt('NVIDIA token', path, () => tokenCase(path, bundle, library, tally))
    }
  }
  pairs(paths, { files, library, tally })
}

function jsonOf(bytes) {
  try {
    return JSON.parse(utf8.decode(withoutMark(bytes)))
  } catch {
    return undefined
  }
}

const isEvidence = (entry) => typeof entry?.certificate === 'string' && typeof entry.evidence === 'string'
const isTokenBundle = (json) => Array.isArray(json) && Array.isArray(json[0]) && json[0][0] === 'JWT'

function serialized(what, entry, library, tally) {
  const certificates = utf8.decode(bytesOf(entry.certificate))
  const verdict = library.verifyNvidiaReport(bytesOf(entry.evidence), {
    certificates,
    at,
    nonce: bytesOf(entry.nonce),
  })
  tally.count(kind, ...judge(what, verdict, []))
}

/** No bundle of the folder is signed by NVIDIA's service with a key that is there: unsigned ones must be refused. */
function tokenCase(path, bundle, library, tally) {
  const [[, text]] = bundle
  const header = jsonOf(decodedPart(String(text).split('.')[0]))
  let code
  try {
    code = library.verifyNvidiaToken(bundle, { keys: [], at }).ok ? 'ok' : 'not ok'
  } catch (error) {
    code = error.code
  }
  const expected = header?.alg === 'ES384' ? 'not ok' : 'BAD_EVIDENCE'
  tally.count('NVIDIA token', code === expected, `${path}: ${code}, expected ${expected}`)
}

function decodedPart(part) {
  try {
    return bytesOf(part)
  } catch {
    return new Uint8Array()
  }
}

/** Chains whose names do not say to which report they belong, and what must fail with each. */
const namedPairs = [
  ['hopperAttestationReport.txt', 'hopper_cert_chain_case1.txt', []],
  // The root alone, a chain without its intermediate, a chain without its leaf.
  ['hopperAttestationReport.txt', 'hopper_cert_chain_case2.txt', ['signature']],
  ['hopperAttestationReport.txt', 'hopper_cert_chain_case3.txt', ['chain']],
  ['hopperAttestationReport.txt', 'hopper_cert_chain_case4.txt', ['signature']],
  ['hopper_coco_report1.txt', 'hopper_coco_certs1.txt', []],
]

/** A report as text, request first, in the same folder as its chains. */
function pairs(paths, { files, library, tally }) {
  const isReport = (path) => {
    const bytes = decoded(files.peek(path))
    return bytes[0] === 0x11 && bytes[1] === 0xe0 && bytes.length > 141
  }
  const folderOf = (path) => path.slice(0, path.lastIndexOf('/') + 1)
  for (const path of paths.filter((one) => /\.(?:txt|bin|hex)$/.test(one) && isReport(one))) {
    const folder = folderOf(path)
    const name = path.slice(folder.length)
    const [, stem = '', defect = ''] = /^(.*)AttestationReport(.*)\.txt$/.exec(name) ?? []
    const chains = [
      ...['CertChain', 'CertChainExpired'].map((one) => {
        // What NVIDIA's tests call expired is another device's chain, by OpenSSL: none of its dates has passed, and the leaf's
        // key has not signed the report.
        const wrong = defect === 'InvalidSignature' || one === 'CertChainExpired' ? ['signature'] : []
        return [`${folder}${stem}${one}.txt`, wrong]
      }),
      ...namedPairs
        .filter(([report]) => report === name)
        .map(([, chain, wrong]) => [`${folder}${chain}`, wrong]),
    ].filter(([chain]) => files.has(chain))
    files.evidence(path)
    if (chains.length === 0) tally.count(kind, false, `${path}: no chain beside it is known to be its own`)
    for (const [chain, wrong] of chains) {
      tally.attempt(kind, `${path} with ${chain}`, () => {
        const certificates = chainText(files, chain)
        const { report, refused } = wholeReport(files.evidence(path), { certificates, library })
        const nonce = report.slice(4, 36)
        const verdict = library.verifyNvidiaReport(report, { certificates, at, nonce })
        const [agrees, what] = judge(`${path} with ${chain}`, verdict, wrong)
        tally.count(kind, agrees && refused, what)
      })
    }
  }
}

function chainText(files, path) {
  const text = files.text(path)
  return text.includes('-----BEGIN') ? text : utf8.decode(bytesOf(text.trim()))
}

/** One report of the folder has a byte behind it, from a text that ended in a zero: it must be refused until that is cut off. */
function wholeReport(report, { certificates, library }) {
  try {
    library.verifyNvidiaReport(report, { certificates, at })
  } catch (error) {
    if (report.at(-1) === 0 && /1 bytes stand behind/.test(error.message)) {
      return { report: report.slice(0, -1), refused: error.code === 'BAD_EVIDENCE' }
    }
    throw error
  }
  return { report, refused: true }
}

function judge(what, { ok, authentic, checks }, wrong) {
  const failed = checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
  const agrees = !ok && authentic === (wrong.length === 0) && failed.join() === wrong.join()
  return [agrees, `${what}: failed ${failed}, expected ${wrong}`]
}
