import { type CredentialCondition, leavesOf, parseAccessRules } from '@sealpool/contracts'
import type { JsonObject } from '@sealpool/crypto'
import type { Present } from '../access/present-credential.js'
import { platformNow } from '../platform.js'
import { usage } from './arguments.js'
import type { Command, CommandContext } from './command.js'
import { askedDisclosures, holderOf, readHeldCredential } from './held-credential.js'
import { dateOf, table } from './io.js'
import { readBytes, readJsonObject, readSecret } from './settings.js'

const place = '<credential-file>'

/** Shows a credential to the node. */
export const credentialCommand: Command = {
  name: 'present-credential',
  summary: 'show the node a verifiable credential, where the pool’s access conditions ask for one',
  example: 'sealpool present-credential card.sd-jwt --holder-key-file holder.jwk --key-file me.key',
  positionals: ['credential-file'],
  options: {
    'holder-key-file': {
      value: 'FILE',
      help: 'the holder’s private key, as a JSON Web Key; - reads standard input. Without it another wallet signs',
    },
    'status-list': {
      value: 'FILE',
      help: 'the issuer’s token status list, where a condition asks for a status; the node fetches nothing',
    },
    restriction: { value: 'FILE', help: 'a restriction of the policy that holds now, JSON' },
  },
  details:
    'The file has the SD-JWT as its issuer gave it; - reads standard input. Of its disclosures those are shown without which the\nconditions are not met, and no others. It goes to the node that was verified, sealed, once, for this account; present again\nwhen it is over.\nWithout --holder-key-file the file is -: the command writes one line of JSON, { nonce, audience }, to standard error, and reads\nfrom standard input the presentation that a wallet has signed for them.\nExit code 1: it meets none of the conditions.',
  needs: 'send',
  async run(context) {
    const { given, opened } = context
    const { client } = opened()
    requireOneInput(context)
    const listFile = given.get('status-list')
    const list = listFile === undefined ? {} : { statusList: await readList(listFile) }
    const present = await presenter(context)
    const conditions = await client.presentCredential({
      present: async (challenge) => ({ presentation: await present(challenge), ...list }),
    })
    const rows = conditions.map(({ condition, until, reason }) => [
      condition,
      until === null ? `does not count: ${reason}` : `counts until ${dateOf(until)}`,
    ])
    return {
      json: { conditions },
      text: table(rows),
      exitCode: conditions.some(({ until }) => until !== null) ? 0 : 1,
    }
  },
}

/** It is public: who may read the file is nobody's business. */
async function readList(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, '--status-list')).trim()
}

/** Standard input is one thing at a time. */
function requireOneInput({ given }: CommandContext): void {
  const named = ['key-file', 'token-file', 'holder-key-file'].map((name) => given.get(name))
  const inputs = [given.positionals[0], ...named].filter((path) => path === '-')
  if (inputs.length > 1)
    throw usage('arguments', 'standard input is one of them alone: give the others as files')
}

/** Everything is read before the node is asked for a nonce; only what another wallet signs comes after it. */
async function presenter({
  given,
  io,
  opened,
}: CommandContext): Promise<(challenge: Parameters<Present>[0]) => Promise<string>> {
  const path = given.positionals[0] ?? ''
  const keyFile = given.get('holder-key-file')
  if (keyFile === undefined) {
    if (path !== '-')
      throw usage(
        '--holder-key-file',
        `give the holder’s key; or - for ${place}, and what a wallet has signed on standard input`,
      )
    return async (challenge) => {
      io.err(`${JSON.stringify(challenge)}\n`)
      const presentation = (await io.stdin()).trim()
      if (presentation === '') throw usage(place, 'standard input had no presentation')
      return presentation
    }
  }
  const held = readHeldCredential(await readSecret(path, place, io), place)
  const signed = holderOf(await readSecret(keyFile, '--holder-key-file', io), '--holder-key-file', held)
  const restriction = given.get('restriction')
  const disclosed = askedDisclosures(held, [
    ...conditionsOf(opened().policy),
    ...(restriction === undefined ? [] : conditionsOf(await readJsonObject(restriction, '--restriction'))),
  ])
  if (disclosed === undefined)
    throw usage(place, 'the pool’s conditions ask for no such credential: issuer, type or claims are others')
  const presented = [held.token, ...disclosed, ''].join('~')
  return async ({ nonce, audience }) =>
    signed({ presented, nonce, audience, at: Math.floor(platformNow().getTime() / 1000) })
}

/** What a policy, or a restriction of one, asks of credentials. */
function conditionsOf({ access }: JsonObject): readonly CredentialCondition[] {
  if (access === undefined) return []
  return leavesOf(parseAccessRules(access).use).flatMap(({ leaf }) =>
    'credential' in leaf ? [leaf.credential] : [],
  )
}
