// dstack's containers of evidence (version 0), as files or inside the JSON of its verifier.
import { bytesOf } from './encodings.mjs'
import { amdMaterial, commonMoment } from './snp.mjs'
import { silent } from './tally.mjs'

/** Every container among files.json that holds evidence of TDX or SEV-SNP; Nitro documents are read elsewhere. */
export function dstackContainerCases({ files, library, tally }) {
  tally.expect('dstack container')
  // Files that cannot be read are the differences of the group that they belong to.
  const material = amdMaterial({ files, library, tally: silent })
  for (const path of files.json('files.json').map((entry) => entry.path.replace(/\.gz$/, ''))) {
    const container = containerIn(files.peek(path), path)
    if (container === undefined) continue
    const { evidence, reportData } = parsed(container, library) ?? {}
    if (evidence?.platform !== 'tdx' && evidence?.platform !== 'sev-snp') continue
    files.bytes(path)
    const kind = `dstack container ${evidence.platform === 'tdx' ? 'TDX' : 'SEV-SNP'}`
    const judge = evidence.platform === 'tdx' ? tdxProblem : snpProblem
    tally.attempt(kind, path, () => {
      const problem = judge({ container, evidence, reportData, library, material })
      tally.count(kind, problem === '', `${path}: ${problem}`)
    })
  }
}

function containerIn(bytes, path) {
  if (bytes === undefined || bytes.length > 1 << 20) return undefined
  if (bytes[0] === 0 && /\.bin$/.test(path)) return bytes
  if (!/\.json$/.test(path) || bytes[0] !== 0x7b) return undefined
  try {
    const { attestation } = JSON.parse(new TextDecoder().decode(bytes))
    return typeof attestation === 'string' ? bytesOf(attestation) : undefined
  } catch {
    return undefined
  }
}

function parsed(container, { parseDstackAttestation }) {
  try {
    return parseDstackAttestation(container)
  } catch {
    return undefined
  }
}

/** The quote was made for the container's data, and its log replays to the app's register; what is stripped from it cannot. */
function tdxProblem({ evidence, reportData, library }) {
  const { report } = library.parseQuote(evidence.quote)
  const rtmrs = report.rtmrs.map((register) => `0x${library.hex(register)}`)
  const { checks } = library.verifyDstackEventLog({ eventLog: evidence.eventLog, claims: { rtmrs } })
  const open = ['rtmr3', 'event-digests', 'boot-order'].filter(
    (id) => checks.find((check) => check.id === id)?.result !== 'pass',
  )
  if (library.hex(report.reportData) !== library.hex(reportData)) open.push('report data')
  return open.join()
}

/** Everything but what only AMD's list tells, where none is of the container's time. */
function snpProblem({ container, evidence, reportData, library, material }) {
  const attempts = materialFor(evidence, { library, material }).map(({ certificates, at, crl }) => {
    const { checks, hardware } = library.verifyDstackSnpAttestation(container, {
      certificates,
      at,
      reportData,
      ...(crl === undefined ? {} : { crl }),
    })
    const open = (list) => list.filter(({ result }) => result !== 'pass').map(({ id }) => id)
    const listed = new Set(crl === undefined ? ['crl', 'crl-dates', 'not-revoked'] : [])
    const left = open(hardware.checks).filter((id) => !listed.has(id))
    // The compose text is nobody's here; `report` sums up the hardware's checks.
    return [...left, ...open(checks).filter((id) => id !== 'compose-hash' && id !== 'report')].join()
  })
  return attempts.includes('') ? '' : (attempts[0] ?? 'no certificates')
}

/** The container's own endorsement key with AMD's root, or every key of the folder where it carries none. */
function materialFor(evidence, { library, material }) {
  const inside = evidence.certificates.flatMap((bytes) =>
    library.parsePemCertificates(new TextDecoder().decode(bytes)).map((der) => library.parseCertificate(der)),
  )
  const isKey = ({ commonName }) => /VCEK|VLEK/.test(commonName)
  const keys = inside.length > 0 ? inside.filter(isKey) : material.certificates.filter(isKey)
  return keys.flatMap((key) => {
    const authority = material.issuerOf(key)
    const root = authority && material.issuerOf(authority)
    if (root === undefined) return []
    const list = material.lists.find(
      (one) => material.same(one.issuer, root.subject) && commonMoment(key, one) !== undefined,
    )
    const certificates = [key, authority, root].map(({ raw }) => raw)
    return [{ certificates, crl: list?.der, at: new Date((commonMoment(key, list) ?? key.notBefore) * 1000) }]
  })
}
