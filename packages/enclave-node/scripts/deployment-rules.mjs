// What must hold of the files with which the node is deployed as a container: of the manifest for ROFL as its CLI reads it, and of the
// compose files. `open` is what the operator or a tool has yet to fill in, `problems` is what must not be so at all.
const digest = '[0-9a-f]{64}'
const anyDigest = '0'.repeat(64)
/** Fields of the manifest that the Oasis CLI knows. What it does not know it drops without a word. */
const fields = {
  manifest:
    'name version repository author license homepage description tee kind resources artifacts deployments scripts tooling',
  deployment:
    'default app_id network paratime admin debug oci_repository trust_root policy metadata secrets machines artifacts',
  policy: 'quotes enclaves endorsements fees max_expiration',
}
/** A sealed secret is base64 of CBOR that begins with a map of four and the key `pk` of 32 bytes. */
const sealed = Buffer.from([0xa4, 0x62, 0x70, 0x6b, 0x58, 0x20])
/** Artifacts that make the machine, each with its SHA-256 in the address. */
const machineArtifacts = ['firmware', 'kernel', 'stage2']
/** Megabytes that a node with its default settings needs: two engines, a refiner, itself. */
const leastMemory = 2048

/** Sockets of the machine that a container may be given, and how an image is named, by platform. */
const platforms = {
  dstack: { file: 'docker-compose.dstack.yaml', sockets: ['/var/run/dstack.sock'], registry: false },
  // The CLI demands the registry's name; it would take /run/podman.sock too, with which a container rules all others.
  rofl: { file: 'compose.rofl.yaml', sockets: ['/run/rofl-appd.sock'], registry: true },
}

/** Judges all files. @param read gives the content of the file of a name, parsed */
export function judgeDeployment(read) {
  const judged = [
    ...Object.values(platforms).map((platform) => judgeCompose(platform, read(platform.file))),
    judgeRoflManifest(read('rofl.yaml')),
  ]
  return { problems: judged.flatMap(({ problems }) => problems), open: judged.flatMap(({ open }) => open) }
}

const isMap = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const mapOf = (value) => (isMap(value) ? value : {})
const listOf = (value) => (Array.isArray(value) ? value : [])

function unknownFields(at, value, known) {
  const names = known.split(' ')
  return Object.keys(mapOf(value))
    .filter((name) => !names.includes(name))
    .map((name) => `${at}: ${name} is no field of the Oasis CLI that is known here`)
}

function judgeRoflManifest(manifest) {
  const problems = unknownFields('rofl.yaml', manifest, fields.manifest)
  const open = []
  const { name, version, tee, kind, resources, artifacts, deployments } = mapOf(manifest)
  if (typeof name !== 'string' || name === '') problems.push('rofl.yaml: it has no name')
  if (!/^\d+\.\d+\.\d+$/.test(version)) problems.push('rofl.yaml: version is not of the form 1.2.3')
  if (tee !== 'tdx' || kind !== 'container')
    problems.push('rofl.yaml: the node runs as kind container under tee tdx')
  const { memory, cpus, storage } = mapOf(resources)
  if (!(Number.isInteger(memory) && memory >= leastMemory))
    problems.push(`rofl.yaml: resources.memory is under ${leastMemory} (megabytes)`)
  if (!(Number.isInteger(cpus) && cpus >= 1 && cpus < 256))
    problems.push('rofl.yaml: resources.cpus is no count')
  const { kind: storageKind, size } = mapOf(storage)
  if (storageKind !== 'disk-persistent')
    problems.push(
      'rofl.yaml: the state would not outlive a restart; resources.storage.kind must be disk-persistent',
    )
  if (!(Number.isInteger(size) && size >= 16))
    problems.push('rofl.yaml: resources.storage.size is under 16 (megabytes)')
  judgeArtifacts(mapOf(artifacts), problems, open)
  const places = Object.entries(mapOf(deployments))
  if (places.length === 0) problems.push('rofl.yaml: it has no deployment')
  for (const [place, one] of places)
    judgeRoflDeployment(`rofl.yaml, deployment ${place}`, one, problems, open)
  return { problems, open }
}

function judgeArtifacts({ container, builder, ...machine }, problems, open) {
  const { runtime, compose } = mapOf(container)
  if (compose !== 'compose.rofl.yaml')
    problems.push('rofl.yaml: artifacts.container.compose is not compose.rofl.yaml')
  if (builder !== undefined && !new RegExp(`@sha256:${digest}$`).test(builder))
    problems.push('rofl.yaml: artifacts.builder is not named by its digest')
  for (const [name, value] of [
    ...machineArtifacts.map((name) => [name, machine[name]]),
    ['container.runtime', runtime],
  ]) {
    if (value === undefined) open.push(`rofl.yaml: artifacts.${name} is not named (oasis rofl upgrade)`)
    else if (!new RegExp(`#${digest}$`).test(value))
      problems.push(`rofl.yaml: artifacts.${name} has no SHA-256 after a #`)
  }
}

function judgeRoflDeployment(at, value, problems, open) {
  problems.push(...unknownFields(at, value, fields.deployment))
  const one = mapOf(value)
  for (const name of ['network', 'paratime'])
    if (typeof one[name] !== 'string' || one[name] === '') problems.push(`${at}: it has no ${name}`)
  if (one.debug !== undefined && one.debug !== false)
    problems.push(`${at}: the host reads a machine that may be debugged`)
  if (one.app_id === undefined) open.push(`${at}: app_id is not known (oasis rofl create)`)
  else if (!/^rofl1[02-9ac-hj-np-z]{6,}$/.test(one.app_id)) problems.push(`${at}: app_id is none`)
  const { height, hash } = mapOf(one.trust_root)
  if (one.trust_root === undefined) open.push(`${at}: trust_root is not set (oasis rofl trust-root)`)
  else if (!(Number.isInteger(height) && height > 0) || !new RegExp(`^${digest}$`).test(hash))
    problems.push(`${at}: trust_root is no height and block hash`)
  judgePolicy(at, one.policy, problems, open)
  for (const { name, value: secret } of listOf(one.secrets).map(mapOf)) {
    const bytes = Buffer.from(String(secret), 'base64')
    // Its value is not repeated: it may be the secret itself.
    if (bytes.length < 64 || !bytes.subarray(0, sealed.length).equals(sealed))
      problems.push(
        `${at}: the secret ${name} is not sealed; take it out, change it, and set it with oasis rofl secret set`,
      )
  }
}

function judgePolicy(at, value, problems, open) {
  problems.push(...unknownFields(`${at}, policy`, value, fields.policy))
  const { quotes, enclaves, endorsements, fees, max_expiration } = mapOf(value)
  const { pcs, ias } = mapOf(quotes)
  if (!isMap(pcs?.tdx) || ias !== undefined)
    problems.push(`${at}: policy.quotes must take TDX quotes, and no others`)
  if (!(Number.isInteger(pcs?.min_tcb_evaluation_data_number) && pcs.min_tcb_evaluation_data_number > 0))
    problems.push(
      `${at}: policy.quotes.pcs.min_tcb_evaluation_data_number is missing: machines of any age would do`,
    )
  if (!(Number.isInteger(pcs?.tcb_validity_period) && pcs.tcb_validity_period > 0))
    problems.push(`${at}: policy.quotes.pcs.tcb_validity_period is missing`)
  if (listOf(enclaves).length === 0) open.push(`${at}: policy.enclaves names no build (oasis rofl build)`)
  if (listOf(endorsements).length === 0) problems.push(`${at}: policy.endorsements lets no machine run it`)
  if (!['instance', 'endorsing_node'].includes(fees))
    problems.push(`${at}: policy.fees is neither instance nor endorsing_node`)
  if (!(Number.isInteger(max_expiration) && max_expiration > 0))
    problems.push(`${at}: policy.max_expiration is no count of epochs`)
}

function judgeCompose({ file, sockets, registry }, compose) {
  const problems = []
  const open = []
  const { services, volumes } = mapOf(compose)
  const named = Object.entries(mapOf(volumes))
  if (named.some(([, one]) => Object.keys(mapOf(one)).length > 0))
    problems.push(`${file}: a volume has options; it must be the platform's own encrypted one`)
  if (Object.keys(mapOf(services)).length !== 1)
    problems.push(`${file}: it does not hold the node alone, and seccomp is off for it`)
  for (const [name, service] of Object.entries(mapOf(services))) {
    const at = `${file}, ${name}`
    judgeImage(at, service.image, registry, problems, open)
    if (service.privileged !== undefined || service.cap_add !== undefined || service.devices !== undefined)
      problems.push(`${at}: it has rights over the machine`)
    if (service.network_mode !== undefined || service.pid !== undefined || service.ipc !== undefined)
      problems.push(`${at}: it shares a namespace with the machine`)
    if (service.read_only !== true) problems.push(`${at}: its file system is not read-only`)
    if (!listOf(service.cap_drop).includes('ALL')) problems.push(`${at}: it keeps capabilities`)
    if (!listOf(service.security_opt).includes('no-new-privileges:true'))
      problems.push(`${at}: it may gain privileges`)
    if (mapOf(service.ulimits).core !== 0) problems.push(`${at}: a core file would hold what memory holds`)
    if (service.env_file !== undefined)
      problems.push(`${at}: a file of variables is not part of what is measured`)
    for (const [key, value] of Object.entries(mapOf(service.environment)))
      if (!/^\$\{\w+(:\?[^}]*)?\}$/.test(String(value)))
        problems.push(`${at}: the variable ${key} has its value in the file`)
    for (const port of listOf(service.ports))
      if (!/^[1-9]\d{0,4}:[1-9]\d{0,4}$/.test(String(port)))
        problems.push(`${at}: a port is not given as published:own`)
    for (const volume of listOf(service.volumes)) {
      const [source = ''] = String(volume).split(':')
      if (!sockets.includes(source) && !named.some(([one]) => one === source))
        problems.push(
          `${at}: it is given ${source}, which is neither a volume of the file nor the platform's socket`,
        )
    }
  }
  return { problems, open }
}

function judgeImage(at, image, registry, problems, open) {
  const text = String(image)
  if (!registry && /^\$\{\w+:\?[^}]*\}$/.test(text))
    open.push(`${at}: the image is not named by its digest in the file`)
  else if (!new RegExp(`@sha256:${digest}$`).test(text))
    problems.push(`${at}: the image is not named by its digest`)
  else if (text.endsWith(anyDigest)) open.push(`${at}: the image is not named`)
  if (registry && !/^[^/]+\.[^/]+\/[^/]/.test(text))
    problems.push(`${at}: the image is not named with its registry`)
}
