// Real quotes with real collateral against the built @sealpool/attest: `npm run conformance -- attest [--data DIR]`.
// The folder's layout is explained in shared/data/README.md; statuses come from an independent implementation of Intel's
// algorithm. Kinds that are not supported yet are named and do not count.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const kindOf = ({ version, tee, bodyType }) =>
  `DCAP ${tee.toUpperCase()} v${version}${version === 5 ? ` body type ${bodyType}` : ''}`

/** Kinds of `index.json` for which this package has no verifier yet. */
const notYet = { 'snp-report': 'SEV-SNP report' }
/** Files of other kinds, by their place in the folder. */
const notYetFiles = {
  'virtee__sev-snp-measure/vectors.json': 'SNP launch digest',
  'dstack-vectors': 'dstack event log',
  'azure-vtpm-expected.json': 'Azure vTPM evidence',
}

/**
 * @param {object} options
 * @param {string} options.data folder with cases-dcap.json, index.json and the files they name
 * @param {(line: string) => void} options.print
 * @param {object} [options.attest] the package; the built one by default
 * @param {object} [options.crypto] for hex; the built one by default
 * @param {number} [options.every] takes every n-th case only
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ data, print, attest, crypto, every = 1 }) {
  const library = attest ?? (await import('@sealpool/attest'))
  const { encodeHex } = crypto ?? (await import('@sealpool/crypto'))
  const tally = new Map()
  const count = (kind, agrees, what) => {
    const entry = tally.get(kind) ?? { agree: 0, differ: 0 }
    entry[agrees ? 'agree' : 'differ'] += 1
    tally.set(kind, entry)
    if (!agrees && entry.differ <= 10) print(`  ${kind} differs: ${what}`)
  }
  const read = (path) => new Uint8Array(readFileSync(join(data, path)))
  const readJson = (path) =>
    existsSync(join(data, path)) ? JSON.parse(readFileSync(join(data, path), 'utf8')) : []

  const certificates = loadCertificates(data, library)
  const collateralOf = collateralReader({ data, read, library, encodeHex, certificates })
  for (const entry of readJson('cases-dcap.json').filter((_, index) => index % every === 0)) {
    const quote = read(entry.quote)
    const kind = kindOf(library.parseQuote(quote))
    count(kind, ...judge(library, entry, quote, collateralOf(entry)))
  }

  const index = readJson('index.json')
  for (const entry of index.filter(({ kind }) => kind === 'quote')) {
    const quote = library.parseQuote(read(entry.path))
    const signed = library.verifyP256(quote.attestationKey, quote.signed, quote.signature)
    count('quote signature', signed === entry.facts.sig, entry.path)
  }
  for (const { path, certificate } of certificates) {
    if (!certificate.commonName.includes('Root CA')) continue
    const expected = /_(44a0196b|fc64f807)\.der$/.test(path)
    const { vendor } = library.rootClaim(certificate)
    count(
      expected ? 'Intel root accepted' : 'fake Intel root refused',
      (vendor === 'intel') === expected,
      path,
    )
  }
  for (const [kind, name] of Object.entries(notYet)) {
    if (index.some((entry) => entry.kind === kind)) print(`${name}: not supported yet`)
  }
  for (const [path, name] of Object.entries(notYetFiles)) {
    if (existsSync(join(data, path))) print(`${name}: not supported yet`)
  }

  let [agree, differ] = [0, 0]
  for (const [kind, entry] of tally) {
    print(`${kind}: ${entry.agree} agree, ${entry.differ} differ`)
    agree += entry.agree
    differ += entry.differ
  }
  return { agree, differ }
}

function judge({ verifyQuote }, entry, quote, collateral) {
  // Trailing bytes of other layers are some origins' framing; the cases are about the quotes.
  const verdict = verifyQuote(quote, { collateral, at: new Date(entry.at), trailingBytes: 'any' })
  const failed = verdict.checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
  const what = `${entry.quote} at ${entry.at}: ${verdict.tcbStatus}, expected ${entry.expect} ${entry.note}; ${failed}`
  if (entry.note.includes('pck-not-yet-valid')) {
    return [!verdict.ok && verdict.tcbStatus === null && failed.join() === 'certificate-dates', what]
  }
  const good = entry.expect !== 'TCB_NOT_SUPPORTED' && entry.expect !== 'Revoked' && !entry.pckRevoked
  const sameAdvisories = verdict.advisories.join() === [...entry.advisories].sort().join()
  return [verdict.tcbStatus === entry.expect && sameAdvisories && verdict.ok === good, what]
}

function loadCertificates(data, { parseCertificate }) {
  const folder = join(data, '_certs/intel')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.der'))
    .map((path) => ({
      path,
      certificate: parseCertificate(new Uint8Array(readFileSync(join(folder, path)))),
    }))
}

/** Builds the collateral of a case; issuer chains are found among the certificates by whose key signed. */
function collateralReader({ data, read, library, encodeHex, certificates }) {
  const { chainProblem, formatPemCertificates, parseQeIdentity, parseRevocationList, parseTcbInfo } = library
  const { revocationListProblem, verifyP256 } = library
  const all = certificates.map(({ certificate }) => certificate)
  const remembered = new Map()
  const once = (key, make) => {
    if (!remembered.has(key)) remembered.set(key, make())
    return remembered.get(key)
  }
  const chainFor = (signers, at) => {
    const inDate = signers.filter(({ notBefore, notAfter }) => notBefore <= at && at <= notAfter)
    const [signer] = inDate.length > 0 ? inDate : signers
    const root = all
      .filter((candidate) => signer && chainProblem([signer, candidate], verifyP256) === undefined)
      .sort((a, b) => b.notAfter - a.notAfter)[0]
    if (signer === undefined || root === undefined) return ''
    return formatPemCertificates([signer.raw, root.raw])
  }
  const signersOf = (path, parse) =>
    once(path, () => {
      const { signed, signature } = parse(readFileSync(join(data, path), 'utf8'))
      return all.filter(({ publicKey }) => verifyP256(publicKey, signed, signature))
    })
  const issuersOf = (path) =>
    once(path, () => {
      const list = parseRevocationList(read(path))
      return all.filter((certificate) => revocationListProblem(list, certificate, verifyP256) === undefined)
    })
  const chain = (path, signers, at) =>
    once(`${path} ${signers.length > 1 ? at : ''}`, () => chainFor(signers, at))
  return (entry) => {
    const at = Date.parse(entry.at) / 1000
    return {
      tcbInfo: readFileSync(join(data, entry.tcbInfo), 'utf8'),
      tcbInfoIssuerChain: chain(entry.tcbInfo, signersOf(entry.tcbInfo, parseTcbInfo), at),
      qeIdentity: readFileSync(join(data, entry.qeIdentity), 'utf8'),
      qeIdentityIssuerChain: chain(entry.qeIdentity, signersOf(entry.qeIdentity, parseQeIdentity), at),
      rootCaCrl: encodeHex(read(entry.rootCaCrl)),
      pckCrl: encodeHex(read(entry.pckCrl)),
      pckCrlIssuerChain: chain(entry.pckCrl, issuersOf(entry.pckCrl), at),
    }
  }
}
