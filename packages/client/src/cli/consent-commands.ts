import { digestOf } from '@sealpool/crypto'
import { consentAgain } from '../consent/consent-again.js'
import { consentDigest, consentRecord } from '../consent/consent-record.js'
import { usage, wholeNumber } from './arguments.js'
import type { Command } from './command.js'
import { consentArgument } from './consent-argument.js'
import { jsonText, table } from './io.js'
import { intoNewFile } from './new-file.js'
import { readBytes } from './settings.js'

const make: Command = {
  name: 'consent-record',
  summary:
    'make the record of a text that contributors agree to, for the pool’s policy; it goes into a new file',
  example:
    'sealpool consent-record consent.txt consent.json --purposes odrl:aggregate --language en --edition 2026-11',
  positionals: ['text-file', 'new-file'],
  options: {
    purposes: {
      value: 'CODES',
      help: 'what the data may be used for, with commas: odrl:aggregate,DUO:0000042',
      required: true,
    },
    language: { value: 'TAG', help: 'of the text, such as en', required: true },
    edition: {
      value: 'NAME',
      help: 'of the text, such as 2026-11; another one for each change',
      required: true,
    },
  },
  needs: 'read',
  async run({ given, opened }) {
    const [path = '', made = ''] = given.positionals
    const bytes = await readBytes(path, '<text-file>')
    const record = consentRecord({
      text: wordsOf(bytes),
      policy: digestOf(opened().policy),
      purposes: given
        .need('purposes')
        .split(',')
        .map((code) => code.trim()),
      language: given.need('language'),
      edition: given.need('edition'),
    })
    await intoNewFile(made, '<new-file>', async () => ({ content: `${jsonText(record)}\n` }))
    const digest = consentDigest(record)
    return { json: { digest, record }, text: table([['consent', digest]]) }
  },
}

function wordsOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw usage('<text-file>', 'the file is not UTF-8 text')
  }
}

const again: Command = {
  name: 'consent-again',
  summary: 'agree to another text for a contribution; nothing is uploaded',
  example: 'sealpool consent-again 17 --consent consent.json --key-file me.key',
  positionals: ['id'],
  options: {
    consent: {
      value: 'FILE',
      help: 'the record or text that you agree to now, or its sha256:…',
      required: true,
    },
  },
  details:
    'The registry records a newer version of the contribution with the same sealed file, and the older one counts no more. It works\nwhile the pool has the key and the policy that the file was sealed under; else contribute anew.',
  needs: 'send',
  async run({ given, opened }) {
    const { chain, deployment, pool, policy } = opened()
    const { id, previous, hash } = await consentAgain(chain, {
      deployment,
      pool,
      id: wholeNumber(given.positionals[0], '<id>'),
      consentDigest: await consentArgument(given.need('consent'), policy),
    })
    return {
      json: { id, previous, transaction: hash },
      text: table([
        ['contribution', `${id}, in the place of ${previous}`],
        ['transaction', hash],
      ]),
    }
  },
}

/** What is agreed to. */
export const consentCommands: readonly Command[] = [make, again]
