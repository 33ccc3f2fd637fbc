import { sha256Digest } from '@sealpool/crypto'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, expect, test } from 'vitest'
import { runPoc } from '../../run/run-poc.js'
import { oauthReadBack } from './oauth-read-back.js'
import { formatReadBackFile } from './read-back-file.js'

const runtime = await createQuickJsRuntime()
afterAll(() => runtime.close())

const at = 1_800_000_000
const owner = `0x${'ab'.repeat(20)}` as const
const token = 'canary-token-of-this-test'
const source = {
  kind: 'oauth-read-back',
  provider: 'example.org',
  url: 'https://api.example.org/me',
  account: { answer: '/id', export: '/account' },
  fields: [{ answer: '/steps', export: '/steps' }],
  maximumAgeSeconds: 600,
} as const
/** Code as a bundle would be: it gives back what it was told, and whether the token is in what it sees. */
const code = `globalThis.sealpool = {
  describe: () => ({ id: 'x', version: '1', issuers: [], sources: ${JSON.stringify([source])} }),
  evaluate: ({ file, facts }) => ({ valid: true, score: 1, authenticity: 1, ownership: 0, quality: 0, uniqueness: 1, evidence: [], refusal: null,
    attributes: { authentic: facts.authenticity[0].authentic, sees: file.text.includes('token') } }),
}`
const poc = { code, digest: sha256Digest(new TextEncoder().encode(code)) }

async function judged(bytes: Uint8Array) {
  const verdict = await runPoc({
    poc,
    runtime,
    limits: { memoryBytes: 2 ** 24, timeMs: 5_000, outputBytes: 65_536 },
    contribution: { id: '1', pool: owner, owner, mediaType: 'application/json', bytes },
    facts: { uniqueness: { duplicate: false }, at },
  })
  expect(JSON.stringify(verdict)).not.toContain('canary')
  return verdict
}

test('a proof is told that an export was read back, and never sees the token', async () => {
  const port = async ({ url }: { readonly url: string }) => ({
    url,
    status: 200,
    readAt: at,
    bytes: new TextEncoder().encode('{"id":"canary-7","steps":4000}'),
  })
  const file = formatReadBackFile({ token, expiresAt: at + 60, export: { account: 'canary-7', steps: 4000 } })
  const allowedHosts = ['api.example.org']
  const { export: bytes = new Uint8Array() } = await oauthReadBack({ source, file, port, allowedHosts, at })
  const verdict = await judged(bytes)
  expect(verdict.attributes).toEqual({ authentic: true, sees: false })
  expect(verdict.evidence.map(({ check, result }) => `${check} ${result}`)).toContain(
    'oauth-read-back.fields pass',
  )
  // The same letters from elsewhere are nobody's word.
  expect((await judged(bytes.slice())).attributes).toEqual({ authentic: false, sees: false })
})
