// What a bundle of the node is made of, as a CycloneDX 1.6 document (ECMA-424): what it holds follows from the lockfile and the
// packages' own words alone, so that it is the same bytes on every machine: no time, no serial number, no tool's name.

/** Package URL of an npm package (github.com/package-url/purl-spec, type npm). */
const purlOf = ({ name, version }) =>
  `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`

const algorithms = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' }

/** The digests of a lockfile's `integrity` (Subresource Integrity), of the package as the registry gives it. */
const hashesOf = (integrity) =>
  (integrity ?? '').split(/\s+/).flatMap((word) => {
    const [name, digest = ''] = word.split('-')
    const content = Buffer.from(digest.split('?')[0], 'base64').toString('hex')
    return algorithms[name] === undefined || content === '' ? [] : [{ alg: algorithms[name], content }]
  })

const isExpression = (text) => /^[A-Za-z0-9.+() -]+$/.test(text) && / (AND|OR|WITH) /.test(text)

/** A licence in SPDX's words, as an expression where it is one; what SPDX has no word for is given as a name. */
function licensesOf(license) {
  if (typeof license !== 'string' || license === '') return {}
  if (isExpression(license)) return { licenses: [{ expression: license }] }
  const known = /^[A-Za-z0-9.+-]+$/.test(license) && license !== 'UNLICENSED'
  return { licenses: [{ license: known ? { id: license } : { name: license } }] }
}

/**
 * @param packages each package that is in the bundle: its place there, `name`, `version`, `license`, `integrity`, and the places of those that it needs
 * @param start place of the program
 * @returns the document's bytes
 */
export function billOfMaterials(packages, start) {
  // One name and version may lie in several places: to the reader they are one.
  const byReference = new Map()
  const referenceOf = new Map(packages.map((one) => [one.place, purlOf(one)]))
  for (const one of packages) {
    const reference = purlOf(one)
    const known = byReference.get(reference) ?? { ...one, needs: new Set() }
    for (const place of one.needs) known.needs.add(referenceOf.get(place))
    byReference.set(reference, known)
  }
  const componentOf = ([reference, { name, version, license, integrity }], type) => {
    const [group, ofGroup] = name.startsWith('@') ? name.split('/') : []
    const hashes = hashesOf(integrity)
    return {
      type,
      'bom-ref': reference,
      ...(group === undefined ? { name } : { group, name: ofGroup }),
      version,
      ...(hashes.length > 0 ? { hashes } : {}),
      ...licensesOf(license),
      purl: reference,
    }
  }
  const sorted = [...byReference].sort(([a], [b]) => (a < b ? -1 : 1))
  const root = referenceOf.get(start)
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: componentOf([root, byReference.get(root)], 'application'),
    },
    components: sorted
      .filter(([reference]) => reference !== root)
      .map((entry) => componentOf(entry, 'library')),
    dependencies: sorted.map(([ref, { needs }]) => ({ ref, dependsOn: [...needs].sort() })),
  }
  return Buffer.from(`${JSON.stringify(document, null, 1)}\n`)
}
