import { definePoc, headerOf, type Mail, readMail, refuse } from '@sealpool/poc/define'

/** A mailbox with, for each message, whether the sender's domain signed it. */
interface Mailbox {
  readonly messages: readonly Mail[]
}

const shops = ['shop.example', 'books.example']

/** Domain of the one address in From; the host made sure that it is there once and of the signing domain. */
function domainOf(mail: Mail): string {
  return /@([a-z0-9.-]+)>?\s*$/i.exec(headerOf(mail, 'from') ?? '')?.[1]?.toLowerCase() ?? ''
}

/** Proof of contribution of a pool of order confirmations: a mailbox (mbox) whose messages are DKIM-signed by known shops. */
export default definePoc<Mailbox>({
  id: 'mail-pool/orders',
  version: '1.0.0',
  // Keys as the shops published them when the messages were signed. They are part of the approved digest.
  sources: [
    {
      kind: 'dkim',
      keys: [
        {
          domain: 'shop.example',
          selector: 's1',
          record: 'v=DKIM1; k=ed25519; p=Zr5+Myx6RTMyvZ0Kf32wVfXF7xoGraZtmLOftoEMRzo=',
        },
        {
          domain: 'books.example',
          selector: 'k2',
          record: 'v=DKIM1; k=ed25519; p=C1E62bSSQBXKCQLtB5BE06xdvsIwbwaUjBDajrbjny0=',
        },
        {
          domain: 'mail.example',
          selector: 'out',
          record: 'v=DKIM1; k=ed25519; p=kaKKC3Q4FZOk2UaVeSCJJq/IrYLIg5t2RDWbnrqaSzo=',
        },
      ],
    },
  ],
  input: (raw) => {
    if (typeof raw !== 'string') return refuse('WRONG_FORMAT', 'file')
    const messages = readMail(raw)
    return messages.length === 0 ? refuse('EMPTY_MAILBOX', 'file') : { messages }
  },
  checks: {
    // The contributor's own provider signed a message that names the wallet: whoever sent it reads and writes this account.
    owner: ({ messages }, { facts }) => ({
      passed: messages.some(
        (mail, index) =>
          facts.authenticity?.[0]?.parts[index] === true &&
          domainOf(mail) === 'mail.example' &&
          headerOf(mail, 'subject')?.toLowerCase() === `sealpool ${facts.owner}`,
      ),
      dimension: 'ownership',
      place: 'subject',
      refusal: 'WALLET_NOT_NAMED',
    }),
    recipient: ({ messages }) => {
      const recipients = new Set(
        messages.filter((mail) => shops.includes(domainOf(mail))).map((mail) => headerOf(mail, 'to')),
      )
      return { passed: recipients.size === 1, place: 'to', refusal: 'SEVERAL_RECIPIENTS' }
    },
    orders: ({ messages }) => {
      const orders = messages.filter((mail) => shops.includes(domainOf(mail)))
      return { passed: orders.length >= 5, degree: orders.length / 5, weight: 2, place: 'messages' }
    },
  },
  score: { authenticity: 3, ownership: 2, quality: 3, uniqueness: 2 },
  minimumScore: 0.6,
  attributes: ({ messages }) => ({ messages: messages.length }),
})
