#!/usr/bin/env node
/**
 * `sealpool-node`: the node as a process of its own.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { backupNode } from '../backup/backup-node.js'
import { restoreNode } from '../backup/restore-node.js'
import { configuredChain } from '../chain/configured-chain.js'
import { egressOf } from '../config/egress.js'
import { runDrill } from '../drill/run-drill.js'
import { NodeError } from '../errors.js'
import { openSimulator, simulatedPlatform } from '../evidence/simulator-quote-provider.js'
import { incidentKinds } from '../incident/incident-record.js'
import { takeOver } from '../migration/take-over.js'
import { platformNow, platformRandom } from '../platform.js'
import { errorFields } from '../runtime/logger.js'
import { startNode } from '../runtime/start-node.js'
import { auditVerdict } from './audit.js'
import { committeeStep } from './committee.js'
import { runDevnet } from './devnet.js'
import { drillText } from './drill.js'
import { egressForms, egressText, resolveDestinations } from './egress.js'
import { incidentAsk, incidentExitCode, incidentText, runIncident } from './incident.js'
import { loadConfig, loadSettings } from './load-config.js'
import { measureNode } from './measure.js'
import { statusTable } from './status.js'

const usage = `sealpool-node - runs confidential data pools

  sealpool-node start --config FILE [--data DIR] [--port N] [--rpc URL] [--secrets FILE] [--stop-with-stdin]
      starts the node; prints one line of JSON with its address when it listens, and logs to standard error.
      Stops on SIGTERM and SIGINT after the step it is in, with --stop-with-stdin also when its input ends. The account that pays for transactions is given by
      SEALPOOL_TRANSACTION_KEY or { "transactionKey": "0x..." } in the secrets file.
  sealpool-node devnet [--port N] [--json] [--verbose] [--stop-with-stdin]
      starts a chain, the contracts, one pool and one node on this machine, all SIMULATED, and prints how to contribute and to ask. Ctrl-C
      ends everything and leaves nothing. Needs anvil.
  sealpool-node incident vulnerable|workload|key|end --config FILE [--yes] [--again] [--json] [--node ADDRESS] [--secrets FILE]
      shows, step by step, what is to do when the code is vulnerable, was taken over, or a pool's key is in other hands, and with --yes does
      what the operator can; for the rest it prints the exact transaction. May be run again at any time. Exit code 1 while a step is open.
  sealpool-node drill vulnerable|workload|key [--json]
      runs that ladder against a devnet of its own, SIMULATED, and checks the end state. Exit code 1 when a check fails. Needs anvil.
  sealpool-node status --url URL
      prints what a running node does.
  sealpool-node audit --file FILE [--head LENGTH:DIGEST]
      verifies an audit log, and that it goes on from a head that was seen earlier. Prints its own head; exit code 1 for a log that
      does not verify.
  sealpool-node backup --config FILE --to FILE [--data DIR] [--secrets FILE]
      writes one file with the node's state, encrypted and authenticated as it lies there: of a node that runs or is stopped, and of a
      group. The node's own secrets (its key release) are not in it.
  sealpool-node restore --config FILE --from FILE --checkpoint FILE|none [--data DIR] [--secrets FILE]
      puts a backup into an empty data folder, or an empty database of a group. Refused when it was altered or cut off, is of another
      node, or is older than what the chain has anchored or the node's log has told: --checkpoint names a file with the newest answer of
      its /v1/log/checkpoint that is to be had. With none, a node that has signed lists of deletions since may contradict itself.
  sealpool-node measure [--config FILE] [--bundle FILE] [--launch FILE]
      prints what a node on hardware is recognised by: the digest of the measured settings (it stands in the key set, and so in the
      quote's report data), that of a bundle, and the registers or launch digest of a TDX or SEV-SNP guest, from a JSON file that names
      firmware, kernel, initrd and command line.
  sealpool-node egress --config FILE [--form nft|systemd|hosts] [--json] [--secrets FILE]
      prints rules that close the network of a node that runs jobs for others, but for answers to its callers and for what its settings
      name: for nftables, as a drop-in of the systemd unit, or as lines for /etc/hosts. Names are looked up now; print again when one moves.
  sealpool-node measure --data DIR [--image NAME]
      prints what an attestation policy must name to accept a SIMULATED node on this data directory, and makes the
      simulator when there is none.
  sealpool-node committee join --config FILE --purpose TEXT
  sealpool-node committee start --config FILE --purpose TEXT --threshold T --member CARD --member CARD ... --to SESSION [--committee BEFORE]
  sealpool-node committee deal --config FILE --session SESSION --messages FOLDER [--committee BEFORE --member CARD ...]
  sealpool-node committee check --config FILE --session SESSION --messages FOLDER
  sealpool-node committee conclude --config FILE --session SESSION --messages FOLDER --to COMMITTEE
  sealpool-node committee seal --config FILE --committee COMMITTEE --peer URL --peer URL ...
  sealpool-node committee renew --config FILE --committee COMMITTEE --peer URL --peer URL ...
      make a key of t of n nodes, and seal a fresh root to it that nobody has seen: join, deal and check on every member, start and
      conclude anywhere, seal where the new node's settings are. Prints and writes what is public only.
  sealpool-node migrate --config NEW [--from URL] [--data DIR] [--secrets FILE]
      on the machine of an upgraded image: without --from, prints what the old node's settings must name as its successor; with it, has
      the node at URL hand its keys to this one, and that one works no more.`

async function main(): Promise<number> {
  // Whatever this program and its children write is for its own user alone.
  process.umask(0o077)
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      port: { type: 'string' },
      rpc: { type: 'string' },
      secrets: { type: 'string' },
      'stop-with-stdin': { type: 'boolean' },
      url: { type: 'string' },
      file: { type: 'string' },
      bundle: { type: 'string' },
      checkpoint: { type: 'string' },
      from: { type: 'string' },
      launch: { type: 'string' },
      to: { type: 'string' },
      head: { type: 'string' },
      form: { type: 'string' },
      json: { type: 'boolean' },
      verbose: { type: 'boolean' },
      yes: { type: 'boolean' },
      node: { type: 'string' },
      image: { type: 'string' },
      purpose: { type: 'string' },
      member: { type: 'string', multiple: true },
      threshold: { type: 'string' },
      session: { type: 'string' },
      messages: { type: 'string' },
      committee: { type: 'string' },
      peer: { type: 'string', multiple: true },
      again: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [command, what] = positionals
  if (values.help === true) {
    console.log(usage)
    return 0
  }
  if (command === 'start' && values.config !== undefined) {
    return start({ ...values, config: values.config }, values['stop-with-stdin'] === true)
  }
  if (command === 'devnet') {
    const port = portOf(values.port ?? '8787')
    const { json = false, verbose = false } = values
    const code = await runDevnet(
      { port, json, verbose },
      askedToStop(values['stop-with-stdin'] === true),
      (line) => console.log(line),
    )
    process.stdin.destroy()
    return code
  }
  const ask = command === 'incident' ? incidentAsk(what) : undefined
  if (ask !== undefined && values.config !== undefined) {
    const { config, secrets } = await loadConfig({ ...values, config: values.config }, process.env)
    const act = values.yes === true
    const outcomes = await runIncident({ ask, config, secrets, act, node: values.node, again: values.again })
    console.log(values.json === true ? JSON.stringify(outcomes) : incidentText(outcomes, act))
    return incidentExitCode(outcomes, act)
  }
  const drill = command === 'drill' ? incidentKinds.find((kind) => kind === what) : undefined
  if (drill !== undefined) {
    let interrupted = false
    const stopped = askedToStop(false).then(() => {
      interrupted = true
    })
    const checks = await runDrill(drill, (line) => console.error(line), stopped)
    console.log(values.json === true ? JSON.stringify(checks) : drillText(drill, checks))
    // Its devnet is gone; what the drill still waited for must not keep the process.
    if (interrupted) process.exit(1)
    return checks.every(({ ok }) => ok) ? 0 : 1
  }
  if (command === 'backup' && values.config !== undefined && values.to !== undefined) {
    const { config, secrets } = await loadConfig({ ...values, config: values.config }, process.env)
    const made = await backupNode({ config, secrets, to: resolve(values.to) })
    console.log(JSON.stringify({ backup: values.to, ...made }))
    return 0
  }
  if (
    command === 'restore' &&
    values.config !== undefined &&
    values.from !== undefined &&
    values.checkpoint !== undefined
  ) {
    const { config, secrets } = await loadConfig({ ...values, config: values.config }, process.env)
    const checkpoint = values.checkpoint === 'none' ? null : await readFile(values.checkpoint, 'utf8')
    const restored = await restoreNode({ config, secrets, from: resolve(values.from), checkpoint })
    console.log(JSON.stringify({ restored: values.from, ...restored }))
    return 0
  }
  if (command === 'committee' && values.config !== undefined) {
    const given = { ...values, config: values.config }
    const config = await loadSettings(given, process.env)
    const done = await committeeStep(positionals[1], config, values, async () =>
      configuredChain(config, (await loadConfig(given, process.env)).secrets),
    )
    if (done !== undefined) {
      console.log(JSON.stringify(done, null, 2))
      return 0
    }
  }
  if (command === 'migrate' && values.config !== undefined) {
    const { config, secrets } = await loadConfig({ ...values, config: values.config }, process.env)
    console.log(JSON.stringify(await takeOver({ config, secrets, from: values.from }), null, 2))
    return 0
  }
  const form = egressForms.find((one) => one === (values.form ?? 'nft'))
  if (command === 'egress' && values.config !== undefined && form !== undefined) {
    const given = { ...values, config: values.config }
    const config = await loadSettings(given, process.env)
    const database =
      config.state.kind === 'postgresql' ? (await loadConfig(given, process.env)).secrets.databaseUrl : null
    const destinations = await resolveDestinations(egressOf(config, database))
    process.stdout.write(
      values.json === true ? `${JSON.stringify(destinations)}\n` : egressText(form, destinations),
    )
    return 0
  }
  if (command === 'status' && values.url !== undefined) {
    console.log(await statusTable(values.url))
    return 0
  }
  if (command === 'audit' && values.file !== undefined) {
    const verdict = auditVerdict(await readFile(values.file, 'utf8'), values.head)
    console.log(verdict.text)
    return verdict.ok ? 0 : 1
  }
  if (
    command === 'measure' &&
    values.data !== undefined &&
    (values.config ?? values.bundle ?? values.launch) === undefined
  ) {
    const simulator = openSimulator({
      directory: values.data,
      random: platformRandom,
      at: new Date(platformNow() * 1000),
    })
    console.log(JSON.stringify(simulatedPlatform(simulator, values.image), null, 2))
    return 0
  }
  if (command === 'measure' && (values.config ?? values.bundle ?? values.launch) !== undefined) {
    const { config: path, bundle, launch } = values
    const config =
      path === undefined ? undefined : await loadSettings({ ...values, config: path }, process.env)
    console.log(JSON.stringify(await measureNode({ config, bundle, launch }), null, 2))
    return 0
  }
  console.error(usage)
  return 2
}

async function start(flags: Parameters<typeof loadConfig>[0], stopWithStdin: boolean): Promise<number> {
  const { config, secrets } = await loadConfig(flags, process.env)
  // Children inherit the environment: what they must not have is gone before the first one starts.
  for (const name of [
    'SEALPOOL_TRANSACTION_KEY',
    'SEALPOOL_DATABASE_URL',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
  ])
    delete process.env[name]
  const node = await startNode(config, secrets)
  const asked = askedToStop(stopWithStdin)
  console.log(
    JSON.stringify({
      ready: true,
      url: node.url,
      simulated: node.simulated,
      isolation: node.isolation,
      statementKey: node.keySet.statement.address,
      keySetDigest: node.keySetDigest,
      quoteDigest: node.quoteDigest,
      pid: process.pid,
    }),
  )
  const failed = await Promise.race([asked, node.failed])
  // An input that stays open would keep the process.
  process.stdin.destroy()
  if (failed !== undefined) {
    console.error(`sealpool-node: ${failed.message}`)
    // Nothing can be finished without the state, and whatever still runs must not go on beside a new leader.
    process.exit(1)
  }
  await node.stop()
  return 0
}

/** Resolves when the program shall end. */
function askedToStop(withStdin: boolean): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(undefined))
    // Whoever started the node holds the other end: when it dies, however it dies, the node ends too.
    if (withStdin) process.stdin.resume().once('end', () => resolve(undefined))
  })
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new NodeError('CONFIG_INVALID', '--port', 'expected 0 to 65535')
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(`sealpool-node: ${describe(error)}`)
    process.exitCode = 1
  },
)

function describe(error: unknown): string {
  const fields = errorFields(error)
  if (fields['message'] !== undefined) return fields['message']
  if (error instanceof TypeError && 'code' in error) return `${error.message}\n\n${usage}`
  return `${fields['type']} ${fields['code'] ?? ''} ${fields['at'] ?? ''}`.trim()
}
