import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'

// Keys of our own, for fixtures alone; the RSA one is made by `openssl genrsa 2048`.
const seed = Buffer.from('302e020100300506032b657004220420', 'hex')
export const mailEd25519 = createPrivateKey({
  key: Buffer.concat([seed, Buffer.alloc(32, 9)]),
  format: 'der',
  type: 'pkcs8',
})

/** The TXT record of an Ed25519 key (RFC 8463). */
export function ed25519Record(key: ReturnType<typeof createPrivateKey>): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `v=DKIM1; k=ed25519; p=${spki.subarray(-32).toString('base64')}`
}

/**
 * Signs a message as a sender would, in relaxed/relaxed form and by a few lines that share nothing with the verifier.
 *
 * @param headers fields in order, without folding
 * @param body with CRLF
 */
export function signMail(options: {
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
  readonly domain: string
  readonly selector: string
  readonly key: ReturnType<typeof createPrivateKey>
  readonly extraTags?: string
}): string {
  const { headers, body, domain, selector, key } = options
  const relaxed = (text: string): string => text.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
  while (lines.at(-1) === '') lines.pop()
  const bodyText = lines.length === 0 ? '' : `${lines.join('\r\n')}\r\n`
  const bodyHash = createHash('sha256').update(bodyText, 'latin1').digest('base64')
  const names = headers.map(([name]) => name.toLowerCase()).join(':')
  const ed = key.asymmetricKeyType === 'ed25519'
  const tags = `v=1; a=${ed ? 'ed25519' : 'rsa'}-sha256; c=relaxed/relaxed; d=${domain}; s=${selector}; h=${names}; ${options.extraTags ?? ''}bh=${bodyHash}; b=`
  const signed =
    headers.map(([name, value]) => `${name.toLowerCase()}:${relaxed(value)}\r\n`).join('') +
    `dkim-signature:${relaxed(tags)}`
  const bytes = Buffer.from(signed, 'latin1')
  const signature = ed
    ? sign(null, createHash('sha256').update(bytes).digest(), key)
    : sign('sha256', bytes, key)
  const own = `DKIM-Signature: ${tags}${signature.toString('base64')}\r\n`
  return `${own}${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}
