/**
 * Commands of `sealpool-node` around a node that runs: start, devnet, status, audit.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { NodeError } from '../errors.js'
import { startNode } from '../runtime/start-node.js'
import { type OptionSpec, portOf, usageError } from './arguments.js'
import { askedToStop } from './asked-to-stop.js'
import { auditText, auditVerdict } from './audit.js'
import type { NodeCommand } from './command.js'
import { runDevnet } from './devnet.js'
import { loadConfig } from './load-config.js'
import { configFlags, settingsOptions } from './settings-options.js'
import { nodeStatus, statusText } from './status.js'

const stopWithStdin: OptionSpec = { help: 'stop when standard input ends, too' }

const start: NodeCommand = {
  name: 'start',
  summary: 'start the node',
  options: {
    ...settingsOptions,
    port: { value: 'N', help: 'where the API listens; overrides the settings and SEALPOOL_PORT' },
    'stop-with-stdin': stopWithStdin,
  },
  details: [
    'Prints one line of JSON with its address when it listens, and logs to standard error. Stops on SIGTERM and SIGINT after the step it is in. A kill at any moment loses nothing.',
  ],
  examples: [
    'sealpool-node start --config node.json',
    'sealpool-node start --config node.json --secrets secrets.json 2>node.log',
  ],
  async run(given, io) {
    const flags = configFlags(given)
    if (flags.port !== undefined) portOf(flags.port, '--port')
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
    const asked = askedToStop(given.has('stop-with-stdin'))
    const ready = {
      ready: true,
      url: node.url,
      simulated: node.simulated,
      isolation: node.isolation,
      statementKey: node.keySet.statement.address,
      keySetDigest: node.keySetDigest,
      quoteDigest: node.quoteDigest,
      pid: process.pid,
    }
    io.out(`${JSON.stringify(ready)}\n`)
    const failed = await Promise.race([asked, node.failed])
    // An input that stays open would keep the process.
    process.stdin.destroy()
    if (failed !== undefined) {
      io.err(`sealpool-node: ${failed.message}\n`)
      // Nothing can be finished without the state, and whatever still runs must not go on beside a new leader.
      process.exit(1)
    }
    await node.stop()
    return {}
  },
}

const devnet: NodeCommand = {
  name: 'devnet',
  summary: 'chain, contracts, pool and node on this machine, all SIMULATED',
  options: {
    port: { value: 'N', help: 'where the node’s API listens; 0: any free port; default 8787' },
    verbose: { help: 'the node’s log on standard error' },
    'stop-with-stdin': stopWithStdin,
  },
  details: ['Prints how to contribute and to ask. Ctrl-C ends everything and leaves nothing. Needs anvil.'],
  examples: ['sealpool-node devnet', 'sealpool-node devnet --port 0 --json'],
  async run(given, io) {
    const port = portOf(given.get('port') ?? '8787', '--port')
    const programs = dirname(process.argv[1] ?? '')
    const flags = { port, json: given.has('json'), verbose: given.has('verbose'), programs }
    const exitCode = await runDevnet(flags, askedToStop(given.has('stop-with-stdin')), {
      say: (line) => io.out(`${line}\n`),
      progress: (line) => io.err(`${line}\n`),
    })
    process.stdin.destroy()
    return { exitCode }
  },
}

const status: NodeCommand = {
  name: 'status',
  summary: 'what a running node does',
  options: { url: { value: 'URL', help: 'where its API listens', required: true } },
  details: [
    'Whether it is ready, and why not; of each pool its epoch and contributions; its jobs by state. Says what the node says: nothing is verified (sealpool ready does that).',
  ],
  exitCodes:
    'Exit codes: 0 the node answers and is ready; 1 it answers and is not ready; 2 the command line was not understood; 3 no node answers there.',
  examples: ['sealpool-node status --url http://127.0.0.1:8787'],
  async run(given) {
    const url = given.need('url')
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
      throw usageError('--url', 'a node has an http or https address')
    const state = await nodeStatus(url)
    return { json: state, text: statusText(state), exitCode: state.ready ? 0 : 1 }
  },
}

const audit: NodeCommand = {
  name: 'audit',
  summary: 'verify an audit log',
  options: {
    file: { value: 'FILE', help: 'audit.jsonl of a data directory', required: true },
    head: { value: 'LENGTH:DIGEST', help: 'a head that was seen earlier, from which the log must go on' },
  },
  details: ['Prints the log’s own head, for the next time.'],
  exitCodes:
    'Exit codes: 0 it verifies; 1 it does not, or does not go on from the head; 2 the command line was not understood, or the file cannot be read.',
  examples: ['sealpool-node audit --file /var/lib/sealpool-node/audit.jsonl'],
  async run(given) {
    const path = given.need('file')
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new NodeError(
        'CONFIG_FILE_UNREADABLE',
        path,
        'the file cannot be read; check its path and rights',
        { cause },
      )
    })
    const verdict = auditVerdict(text, given.get('head'))
    return { json: verdict, text: auditText(verdict), exitCode: verdict.ok ? 0 : 1 }
  },
}

/** Around a node that runs. */
export const serviceCommands: readonly NodeCommand[] = [start, devnet, status, audit]
