/**
 * Commands of `sealpool-node` for incidents: the ladder, and its drill.
 * @module
 */
import { runDrill } from '../drill/run-drill.js'
import { incidentKinds } from '../incident/incident-record.js'
import { usageError } from './arguments.js'
import { askedToStop } from './asked-to-stop.js'
import type { NodeCommand } from './command.js'
import { drillText } from './drill.js'
import { incidentAsk, incidentExitCode, incidentText, runIncident } from './incident.js'
import { loadConfig } from './load-config.js'
import { configFlags, settingsOptions } from './settings-options.js'

const incident: NodeCommand = {
  name: 'incident',
  summary: 'what to do in an incident, step by step; --yes does it',
  argument: { name: 'kind', oneOf: [...incidentKinds, 'end'] },
  options: {
    ...settingsOptions,
    yes: { help: 'do what the operator can; for the rest print the exact transaction' },
    again: { help: 'of key: give up the epoch in force now, too' },
    node: { value: 'ADDRESS', help: 'the node’s statement key, where it cannot be asked' },
  },
  details: [
    'vulnerable: the code or the platform has a flaw. workload: somebody was inside the node. key: a pool’s key is in other hands. end: the notice goes, the node works again.',
    'Shows, and does nothing, without --yes. May be run again at any time: every step looks first.',
  ],
  exitCodes:
    'Exit codes: 0 nothing failed and, with --yes, nothing is left; 1 a step failed or is open; 2 the command line or the settings were not understood; 3 it could not be done.',
  examples: [
    'sealpool-node incident vulnerable --config node.json',
    'sealpool-node incident vulnerable --config node.json --yes',
  ],
  async run(given) {
    const ask = incidentAsk(given.argument)
    if (ask === undefined) throw usageError('kind', `say which: ${[...incidentKinds, 'end'].join(', ')}`)
    const { config, secrets } = await loadConfig(configFlags(given), process.env)
    const act = given.has('yes')
    const outcomes = await runIncident({
      ask,
      config,
      secrets,
      act,
      node: given.get('node'),
      again: given.has('again'),
    })
    return {
      json: outcomes,
      text: incidentText(outcomes, act),
      exitCode: incidentExitCode(outcomes, act),
    }
  },
}

const drill: NodeCommand = {
  name: 'drill',
  summary: 'run that ladder on a devnet of its own, SIMULATED',
  argument: { name: 'kind', oneOf: incidentKinds },
  options: {},
  details: [
    'Checks the end state as contracts and clients see it, tells each check on standard error as it comes, and leaves nothing. Needs anvil. About half a minute.',
  ],
  exitCodes:
    'Exit codes: 0 every check passed; 1 one did not, or it was stopped; 2 the command line was not understood; 3 it could not be run.',
  examples: ['sealpool-node drill vulnerable'],
  async run(given, io) {
    const kind = incidentKinds.find((one) => one === given.argument)
    if (kind === undefined) throw usageError('kind', `say which: ${incidentKinds.join(', ')}`)
    let interrupted = false
    const stopped = askedToStop(false).then(() => {
      interrupted = true
    })
    const checks = await runDrill(kind, (line) => io.err(`${line}\n`), stopped)
    if (!interrupted)
      return { json: checks, text: drillText(kind, checks), exitCode: checks.every(({ ok }) => ok) ? 0 : 1 }
    io.out(`${given.has('json') ? JSON.stringify(checks) : drillText(kind, checks)}\n`)
    // Its devnet is gone; what the drill still waited for must not keep the process.
    return process.exit(1)
  },
}

/** For incidents. */
export const incidentCommands: readonly NodeCommand[] = [incident, drill]
