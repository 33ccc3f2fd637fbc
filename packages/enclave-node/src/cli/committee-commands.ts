/**
 * `sealpool-node committee`: its steps as commands.
 * @module
 */
import { configuredChain } from '../chain/configured-chain.js'
import type { OptionSpec } from './arguments.js'
import type { NodeCommand } from './command.js'
import { type CommitteeStep, committeeStep } from './committee.js'
import { loadConfig, loadSettings } from './load-config.js'
import { configFlags, settingsOptions } from './settings-options.js'

const purpose: OptionSpec = {
  value: 'TEXT',
  help: 'what the committee is for; the same on every machine',
  required: true,
}
const session: OptionSpec = { value: 'FILE', help: 'the session, as start wrote it', required: true }
const messages: OptionSpec = {
  value: 'FOLDER',
  help: 'messages of all members; pass its files around',
  required: true,
}
const before: OptionSpec = { value: 'FILE', help: 'the committee that holds the key now, to replace members' }
const holder: OptionSpec = { value: 'FILE', help: 'the committee, as conclude wrote it', required: true }
const peer: OptionSpec = { value: 'URL', help: 'a member’s API', required: true, multiple: true }
const card: OptionSpec = { value: 'FILE', help: 'a member’s card, as join printed it', multiple: true }

const steps: readonly {
  readonly step: CommitteeStep
  readonly summary: string
  readonly options: Readonly<Record<string, OptionSpec>>
  readonly details: string
  readonly example: string
}[] = [
  {
    step: 'join',
    summary: 'print this member’s card; on every member',
    options: { purpose },
    details: 'The card is public. Bring all cards to where the session is made.',
    example: "committee join --config node.json \\\n    --purpose 'roots of 2026' > a.card",
  },
  {
    step: 'start',
    summary: 'make the session of a committee from its members’ cards; anywhere',
    options: {
      purpose,
      threshold: { value: 'T', help: 'how many members open a root together', required: true },
      member: { ...card, required: true },
      to: { value: 'FILE', help: 'where the session is written; a new file. It is printed as well' },
      committee: before,
    },
    details: 'Everybody must have the same session. With --committee the new members take its key over.',
    example:
      "committee start --config node.json --purpose 'roots of 2026' \\\n    --threshold 2 --member a.card --member b.card --to session.json",
  },
  {
    step: 'deal',
    summary: 'deal shares; on every member, of a takeover on the old ones',
    options: { session, messages, committee: before, member: card },
    details:
      'Publish the commitment of everybody first, then the deals. A second deal ends a member’s part, so none is written over another.',
    example: 'committee deal --config node.json --session session.json \\\n    --messages messages',
  },
  {
    step: 'check',
    summary: 'check what was dealt, when all have dealt; on every member',
    options: { session, messages },
    details: 'Complaints go into the folder of messages, and around like these.',
    example: 'committee check --config node.json --session session.json \\\n    --messages messages',
  },
  {
    step: 'conclude',
    summary: 'make the committee’s file of all messages; anywhere',
    options: {
      session,
      messages,
      to: { value: 'FILE', help: 'the committee; a new file', required: true },
    },
    details: 'The file is public, and the same whoever makes it.',
    example:
      'committee conclude --config node.json --session session.json \\\n    --messages messages --to committee.json',
  },
  {
    step: 'seal',
    summary: 'seal a fresh root to the committee, for the node of the settings',
    options: { committee: holder, peer },
    details:
      'Draws the root in this process, and forgets it: run it in a VM that you trust as much as the root. Prints keyRelease for this node’s settings, and committeeRoot for those of every member.',
    example:
      'committee seal --config new.json --committee committee.json \\\n    --peer https://a.example --peer https://b.example',
  },
  {
    step: 'renew',
    summary: 'bring a root that is sealed already under the committee that took over',
    options: { committee: holder, peer },
    details: 'Prints keyRelease and committeeRoot anew; they replace the old ones.',
    example:
      'committee renew --config new.json --committee committee2.json \\\n    --peer https://a.example --peer https://d.example',
  },
]

/** A key of t of n nodes, and roots that are sealed to it. */
export const committeeCommands: readonly NodeCommand[] = steps.map(
  ({ step, summary, options, details, example }) => ({
    name: `committee ${step}`,
    summary,
    options: { ...settingsOptions, ...options },
    details: [details, 'Prints and writes what is public only.'],
    examples: [`sealpool-node ${example}`],
    async run(given) {
      const flags = configFlags(given)
      const config = await loadSettings(flags, process.env)
      return {
        json: await committeeStep(step, config, given, async () =>
          configuredChain(config, (await loadConfig(flags, process.env)).secrets),
        ),
      }
    },
  }),
)
