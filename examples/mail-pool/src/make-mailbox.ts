import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'

/** Senders of the fixture and their signing keys: made for this example, worth nothing anywhere else. */
const senders = {
  'shop.example': { selector: 's1', seed: 11 },
  'books.example': { selector: 'k2', seed: 12 },
  'mail.example': { selector: 'out', seed: 13 },
} as const

/** One of the domains that sign. */
export type SenderDomain = keyof typeof senders

function keyOf(domain: SenderDomain): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  const seed = Buffer.alloc(32, senders[domain].seed)
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
}

/** The TXT record that a sender publishes. */
export function recordOf(domain: SenderDomain): string {
  const spki = createPublicKey(keyOf(domain)).export({ type: 'spki', format: 'der' })
  return `v=DKIM1; k=ed25519; p=${spki.subarray(-32).toString('base64')}`
}

/** A message as its sender writes it. */
export interface Draft {
  /** Who signs. */
  readonly from: SenderDomain
  /** Local part of From; `orders` when absent. */
  readonly sender?: string
  readonly to: string
  readonly subject: string
  readonly day: number
  readonly body: string
}

/**
 * Writes a message and signs it with DKIM (RFC 6376, ed25519-sha256, simple header and body: bytes are signed as they stand).
 *
 * @param draft what it says
 * @returns the message with CRLF
 */
export function writeMessage({ from, sender = 'orders', to, subject, day, body }: Draft): string {
  const fields = [
    `From: ${sender} <${sender}@${from}>`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${new Date(Date.UTC(2026, 0, day, 9)).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${day}.${from}>`,
  ].map((field) => `${field}\r\n`)
  const text = `${body.replace(/(\r\n)*$/, '')}\r\n`
  const bodyHash = createHash('sha256').update(text).digest('base64')
  const tags = `DKIM-Signature: v=1; a=ed25519-sha256; d=${from}; s=${senders[from].selector}; h=from:to:subject:date:message-id; bh=${bodyHash}; b=`
  const hash = createHash('sha256')
    .update(`${fields.join('')}${tags}`)
    .digest()
  return `${tags}${sign(null, hash, keyOf(from)).toString('base64')}\r\n${fields.join('')}\r\n${text}`
}

/**
 * Puts messages into a mailbox (mbox, RFC 4155).
 *
 * @param messages in order
 * @returns the file
 */
export function mailboxOf(messages: readonly string[]): Uint8Array {
  const parts = messages.map(
    (message) =>
      `From sender@example Thu Jan  1 00:00:00 2026\r\n${message.replace(/^(>*From )/gm, '>$1')}\r\n`,
  )
  return new TextEncoder().encode(parts.join(''))
}

/**
 * The mailbox of one person: orders at two shops, and one message to oneself that names the wallet.
 *
 * @param options whose it is, and how many orders
 */
export function ordersOf(options: {
  readonly person: string
  readonly wallet: string
  readonly orders: number
}): readonly string[] {
  const { person, wallet, orders } = options
  const to = `${person}@mail.example`
  const own = writeMessage({
    from: 'mail.example',
    sender: person,
    to,
    subject: `sealpool ${wallet}`,
    day: 1,
    body: 'This is my wallet.',
  })
  const bought = Array.from({ length: orders }, (_, index) =>
    writeMessage({
      from: index % 2 === 0 ? 'shop.example' : 'books.example',
      to,
      subject: `Order ${person}-${index}`,
      day: index + 2,
      body: `Dear ${person},\r\n\r\nFrom us to you: order ${index}, total ${(12.5 + index).toFixed(2)} EUR.\r\nFrom our hands.\r\n`,
    }),
  )
  return [own, ...bought]
}
