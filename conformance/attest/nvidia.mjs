// NVIDIA's SPDM measurements with their chains; what only NVIDIA can tell (revocation, reference values) stays open.
import { bytesOf } from './encodings.mjs'

const at = new Date('2026-11-20T00:00:00Z')
const utf8 = new TextDecoder()

/** Evidence as NVIDIA's SDK serialises it, and report and chain as two text files side by side. */
export function nvidiaCases({ files, library, tally }) {
  const kind = 'NVIDIA SPDM report'
  tally.expect(kind)
  const paths = files
    .json('files.json')
    .map(({ path }) => path.replace(/\.gz$/, ''))
    .filter((path) => path.startsWith('NVIDIA__') && files.has(path))
  for (const path of paths.filter((one) => /evidence[^/]*\.json$/.test(one))) {
    tally.attempt(kind, path, () => {
      const json = files.json(path)
      for (const [i, entry] of (Array.isArray(json) ? json : (json.evidences ?? [json])).entries()) {
        const certificates = utf8.decode(bytesOf(entry.certificate))
        const verdict = library.verifyNvidiaReport(bytesOf(entry.evidence), {
          certificates,
          at,
          nonce: bytesOf(entry.nonce),
        })
        tally.count(kind, ...judge(`${path} ${i}`, verdict, []))
      }
    })
  }
  for (const path of paths.filter((one) => /AttestationReport[^/-]*\.txt$/.test(one))) {
    const [, stem, defect] = /^(.*)AttestationReport(.*)\.txt$/.exec(path) ?? []
    for (const chain of [`${stem}CertChain.txt`, `${stem}CertChainExpired.txt`].filter(files.has)) {
      // The expired chain is of another device, so that what fails is the signature.
      const wrong = defect === 'InvalidSignature' || chain.includes('Expired') ? ['signature'] : []
      tally.attempt(kind, path, () => {
        const certificates = files.text(chain)
        const report = bytesOf(files.text(path).trim())
        const { nonce } = library.verifyNvidiaReport(report, { certificates, at })
        const verdict = library.verifyNvidiaReport(report, { certificates, at, nonce: bytesOf(nonce) })
        tally.count(kind, ...judge(`${path} with ${chain}`, verdict, wrong))
      })
    }
  }
}

function judge(what, { ok, authentic, checks }, wrong) {
  const failed = checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
  const agrees = !ok && authentic === (wrong.length === 0) && failed.join() === wrong.join()
  return [agrees, `${what}: failed ${failed}, expected ${wrong}`]
}
