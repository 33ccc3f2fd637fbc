// Evidence of platforms on top: dstack's event logs and RA-TLS certificates, Azure's vTPM.
import { bytesOf } from './encodings.mjs'

const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

export function dstackCases({ files, library, tally }) {
  const folder = 'dstack-vectors'
  tally.expect('dstack event log')
  for (const name of files.list(folder).filter((file) => file.endsWith('.json'))) {
    tally.attempt('dstack event log', name, () => {
      const vector = files.json(`${folder}/${name}`)
      // Whatever says what is expected of a log is a vector; other files of the folder are inputs of other kinds.
      if (vector.expected !== undefined) dstackCase(vector, { library, tally, name })
    })
  }
}

function dstackCase(vector, { library, tally, name }) {
  const { expected } = vector
  const { report } = library.parseQuote(bytesOf(vector.quote))
  const rtmrs = report.rtmrs.map((register) => `0x${library.hex(register)}`)
  const compose = vector.app_compose
  // The guest agent's API gives the log as JSON text.
  const eventLog = typeof vector.event_log === 'string' ? JSON.parse(vector.event_log) : vector.event_log
  const verdict = library.verifyDstackEventLog({
    eventLog,
    claims: { rtmrs },
    ...(typeof compose === 'string' ? { compose } : {}),
  })
  const result = (id) => verdict.checks.find((check) => check.id === id)?.result
  const replays = [0, 1, 2, 3].every(
    (i) => (result(`rtmr${i}`) === 'pass') === expected.rtmrReplay[`rtmr${i}`],
  )
  tally.count('dstack event log', replays, `${name}: replay`)
  const digests = (result('event-digests') === 'pass') === (expected.eventDigestMismatches.length === 0)
  tally.count('dstack event digests', digests, `${name}: ${expected.eventDigestMismatches}`)
  const recorded = expected.composeHashEvent ?? null
  const event = (verdict.facts.composeHash ?? null) === (recorded === null ? null : `0x${recorded}`)
  // The vector tells whether the hashes agree; the check is only made on a log that holds in all else.
  const sound = ['rtmr3', 'event-digests', 'boot-order'].every((id) => result(id) === 'pass')
  const wanted = { true: 'pass', false: 'fail', null: 'not-checked' }[String(expected.composeHashOk)]
  const hashes =
    typeof compose !== 'string' ||
    (library.composeHash(compose) === verdict.facts.composeHash) === expected.composeHashOk
  tally.count(
    'dstack compose hash',
    event && hashes && result('compose-hash') === (sound ? wanted : 'not-checked'),
    `${name}: ${result('compose-hash')}`,
  )
  if (typeof vector.app_cert === 'string') ratls(vector, { library, tally, name })
}

/** Measurements that were recomputed to the values which hardware has signed. */
export function dstackMeasurementCases({ files, library, tally }) {
  const path = 'dstack-vectors/expected-measurements.json'
  tally.expect('dstack SNP launch digest')
  if (!files.has(path)) return
  const { snp, 'tdx-lite': tdx } = files.json(path)
  if (tdx !== undefined) {
    const rtmr0 = library.hex(library.replayRegister(tdx.rtmr0Log.map(fromHex)))
    tally.count('dstack TDX register from its log', rtmr0 === tdx.rtmr0, `rtmr0 ${rtmr0}`)
    const source = files.json(`dstack-vectors/dstack-tdx-lite.json`)
    const { composeHash } = library.verifyDstackEventLog({
      eventLog: source.event_log,
      claims: { rtmrs: [0, 1, 2, 3].map(() => `0x${'00'.repeat(48)}`) },
    }).facts
    const id = library.mrConfigId({ version: 1, composeHash })
    tally.count('dstack MrConfig', id === `0x${tdx.mrConfigId.padEnd(96, '0')}`, `version 1: ${id}`)
  }
  if (snp === undefined) return
  const { measurementMaterial: material } = snp
  const digest = library.hex(
    library.snpLaunchDigest({
      ovmf: {
        gpa: 0,
        sections: material.ovmf_sections,
        resetEip: material.reset_eip,
        hashTableGpa: material.hashes_table_gpa,
      },
      ovmfDigest: fromHex(material.ovmf_hash),
      kernel: {
        hashes: {
          image: fromHex(material.kernel_hash),
          initrd: fromHex(material.initrd_hash),
          commandLine: library.sha256Bytes(new TextEncoder().encode(`${material.cmdline}\0`)),
        },
      },
      vcpus: snp.vcpus,
      vcpu: snp.vcpuType.replace('epyc', 'EPYC'),
      features: BigInt(snp.guestFeatures),
    }),
  )
  tally.count('dstack SNP launch digest', digest === snp.measurement, digest)
  const hostData = library.mrConfigDigest(snp.mrConfigDocument)
  tally.count('dstack MrConfig', hostData === `0x${snp.hostData}`, `version 3: ${hostData}`)
}

function ratls({ app_cert: text }, { library, tally, name }) {
  const [leaf] = library.parsePemCertificates(new TextDecoder().decode(pem(text)))
  const { quote, reportData } = library.parseRaTlsCertificate(leaf)
  const carried = quote && library.parseQuote(quote).report.reportData
  const agrees = carried !== undefined && library.hex(carried) === library.hex(reportData)
  tally.count('dstack RA-TLS certificate', agrees, name)
}

/** Some origins keep the PEM text as hex. */
function pem(text) {
  return text.startsWith('-----') ? new TextEncoder().encode(text) : bytesOf(text)
}

export function azureCases({ files, library, tally }) {
  tally.expect('Azure vTPM evidence')
  for (const expected of files.json('azure-vtpm-expected.json')) {
    tally.attempt('Azure vTPM evidence', expected.file, () => azureCase(expected, { files, library, tally }))
  }
}

function azureCase(expected, { files, library, tally }) {
  const json = files.json(expected.file)
  const raw = json.evidence ?? json
  const tpm = raw.tpm_quote ?? raw.quote
  const evidence = {
    hclReport: bytesOf(raw.hcl_report ?? raw.report),
    tpmQuote: {
      message: bytesOf(tpm.message),
      signature: bytesOf(tpm.signature),
      registers: tpm.pcrs.map(bytesOf),
    },
    ...(raw.td_quote === undefined ? {} : { quote: bytesOf(raw.td_quote) }),
  }
  const verdict = library.verifyAzureEvidence(evidence, { nonce: bytesOf(expected.nonce) })
  const result = (id) => verdict.checks.find((check) => check.id === id)?.result
  const agreements = [
    (result('runtime-data') === 'pass') === expected.bind,
    (result('tpm-signature') === 'pass') === expected.tpmSig,
    (result('register-digest') === 'pass') === expected.pcrDigest,
    Object.keys(verdict.registers).length === expected.pcrSel,
    verdict.nonce === `0x${expected.nonce}`,
    expected.hcl.startsWith(verdict.tee === 'tdx' ? 'TDX' : 'SNP'),
  ]
  if (expected.td !== null && expected.td !== undefined) {
    const { reportData } = library.parseHclReport(evidence.hclReport)
    const { report, version } = library.parseQuote(evidence.quote)
    const same = library.hex(report.reportData) === library.hex(reportData)
    agreements.push(same === expected.td.rd_match, version === expected.td.ver)
  }
  tally.count('Azure vTPM evidence', agreements.every(Boolean), `${expected.file}: ${agreements}`)
}
