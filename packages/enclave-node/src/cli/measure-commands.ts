/**
 * Commands of `sealpool-node` that say what others must know of a node: measure, egress.
 * @module
 */
import { egressOf } from '../config/egress.js'
import { openSimulator, simulatedPlatform } from '../evidence/simulator-quote-provider.js'
import { platformNow, platformRandom } from '../platform.js'
import { usageError } from './arguments.js'
import type { NodeCommand } from './command.js'
import { egressForms, egressText, resolveDestinations } from './egress.js'
import { loadConfig, loadSettings } from './load-config.js'
import { measureNode } from './measure.js'
import { configFlags, settingsOptions } from './settings-options.js'

const measure: NodeCommand = {
  name: 'measure',
  summary: 'what a node is recognised by',
  options: {
    config: { value: 'FILE', help: 'settings: the digest of what is measured of them' },
    bundle: { value: 'FILE', help: 'a bundle: its SHA-256' },
    launch: {
      value: 'FILE',
      help: 'JSON that names firmware, kernel, initrd and command line of a guest: TDX registers, or the SEV-SNP launch digest',
    },
    data: {
      value: 'DIR',
      help: 'data directory of a SIMULATED node: what a policy must name to accept it; makes the simulator when there is none. Alone, or with --image',
    },
    image: { value: 'NAME', help: 'of the simulated image; with --data' },
  },
  details: [
    'Give one or more of --config, --bundle and --launch for a node on hardware, or --data for a SIMULATED one.',
  ],
  examples: [
    'sealpool-node measure --config node.json --bundle node.tar',
    'sealpool-node measure --data ./node-data',
  ],
  async run(given) {
    const [path, bundle, launch, data, image] = ['config', 'bundle', 'launch', 'data', 'image'].map(given.get)
    const onHardware = (path ?? bundle ?? launch) !== undefined
    if (image !== undefined && data === undefined)
      throw usageError('--image', 'it belongs to --data: the name of a simulated image')
    if (data === undefined && !onHardware)
      throw usageError('arguments', 'say what to measure: --config, --bundle or --launch, or --data')
    if (data !== undefined && onHardware)
      throw usageError('--data', 'it is for a SIMULATED node, alone or with --image')
    if (data !== undefined) {
      const at = new Date(platformNow() * 1000)
      const simulator = openSimulator({ directory: data, random: platformRandom, at })
      return { json: simulatedPlatform(simulator, image) }
    }
    const config = path === undefined ? undefined : await loadSettings({ config: path }, process.env)
    return { json: await measureNode({ config, bundle, launch }) }
  },
}

const egress: NodeCommand = {
  name: 'egress',
  summary: 'rules that close the network of a node that runs jobs for others',
  options: {
    config: settingsOptions.config,
    form: { value: 'FORM', help: `${egressForms.join(', ')}; default nft` },
    secrets: settingsOptions.secrets,
  },
  details: [
    'Open stay answers to its callers and what its settings name. nft: for nftables, of a whole machine; systemd: a drop-in of the unit; hosts: lines for /etc/hosts.',
    'Names are looked up now: print again when one moves.',
  ],
  examples: ['sealpool-node egress --config node.json --form systemd'],
  async run(given) {
    const form = egressForms.find((one) => one === (given.get('form') ?? 'nft'))
    if (form === undefined) throw usageError('--form', `expected ${egressForms.join(', ')}`)
    const flags = configFlags(given)
    const config = await loadSettings(flags, process.env)
    const database =
      config.state.kind === 'postgresql' ? (await loadConfig(flags, process.env)).secrets.databaseUrl : null
    const destinations = await resolveDestinations(egressOf(config, database))
    return { json: destinations, text: egressText(form, destinations).trimEnd() }
  },
}

/** For those who verify a node, and who close its network. */
export const measureCommands: readonly NodeCommand[] = [measure, egress]
