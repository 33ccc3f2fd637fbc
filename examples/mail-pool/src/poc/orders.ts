import { authenticMail, definePoc, headerOf, type Mail, refuse } from '@sealpool/poc/define'

/** What the proof pays for: messages that their senders' domains signed, each once. */
interface Mailbox {
  /** Confirmations of known shops. */
  readonly orders: readonly Mail[]
  /** Mailbox that a message naming the wallet was sent from, and to. */
  readonly account: string | undefined
}

const shops = ['shop.example', 'books.example']
const provider = 'mail.example'

/**
 * The one address of a field without its `+tag`: `Ada <ada+x@mail.example>` is `ada@mail.example`. Empty for several addresses, comments
 * and quoted names with a comma: what is not sure is nobody's.
 */
function addressOf(mail: Mail, field: 'from' | 'to'): string {
  const text = (headerOf(mail, field) ?? '').trim()
  const [, bare, bracketed] =
    /^(?:([^\s<>@,"()]+@[a-z0-9.-]+)|[^<>@,()]*<([^\s<>@,"()]+@[a-z0-9.-]+)>)$/i.exec(text) ?? []
  return (bare ?? bracketed ?? '').toLowerCase().replace(/\+[^@]*@/, '@')
}

/** Domain of the one address in From; the host made sure that it is there once and of the signing domain. */
function domainOf(mail: Mail): string {
  return addressOf(mail, 'from').split('@')[1] ?? ''
}

/** The same message as often as somebody copies it is one message. */
function distinct(mails: readonly Mail[]): readonly Mail[] {
  return [
    ...new Map(mails.map((mail) => [`${domainOf(mail)} ${headerOf(mail, 'message-id')}`, mail])).values(),
  ]
}

/** Proof of contribution of a pool of order confirmations: a mailbox (mbox) whose messages are DKIM-signed by known shops. */
export default definePoc<Mailbox>({
  id: 'mail-pool/orders',
  version: '3.0.0',
  // Keys as the shops published them when the messages were signed. They are part of the approved digest.
  sources: [
    {
      kind: 'dkim',
      // Every header field that is read below must be signed: others can be put in front of any message.
      require: ['to', 'subject', 'date', 'message-id'],
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
  // Once, for all checks: what nobody signed is not there.
  input: (raw, { facts }) => {
    if (typeof raw !== 'string') return refuse('WRONG_FORMAT', 'file')
    const messages = distinct(authenticMail(raw, facts.authenticity?.[0]))
    // A message to oneself that names the wallet. The provider signs for the account that sends, which is From and not To: anybody can
    // write to anybody.
    const own = messages.find(
      (mail) =>
        domainOf(mail) === provider &&
        addressOf(mail, 'from') === addressOf(mail, 'to') &&
        headerOf(mail, 'subject')?.toLowerCase() === `sealpool ${facts.owner}`,
    )
    return {
      orders: messages.filter((mail) => shops.includes(domainOf(mail))),
      account: own === undefined ? undefined : addressOf(own, 'from'),
    }
  },
  // The pool's register says which wallet an account belongs to; the same mailbox by a second wallet is refused.
  account: ({ account }) => (account === undefined ? null : { provider, account }),
  // What is compared with the pool: each order by what the shop wrote, whatever else is in the mailbox.
  items: ({ orders }) =>
    orders.map((mail) => ({ shop: domainOf(mail), id: headerOf(mail, 'message-id'), body: mail.body })),
  checks: {
    owner: ({ account }) => ({
      passed: account !== undefined,
      dimension: 'ownership',
      place: 'subject',
      refusal: 'WALLET_NOT_NAMED',
    }),
    recipient: ({ orders, account }) => ({
      passed: orders.every((mail) => addressOf(mail, 'to') === account),
      place: 'to',
      refusal: 'ORDERS_OF_ANOTHER_ACCOUNT',
    }),
    orders: ({ orders }) => ({
      passed: orders.length >= 5,
      degree: orders.length / 5,
      place: 'messages',
    }),
    // Nothing to pay for: whose mailbox it is is not worth anything by itself.
    bought: ({ orders }) => ({
      passed: orders.length > 0,
      weight: 0,
      place: 'messages',
      refusal: 'NO_ORDERS',
    }),
  },
  score: { authenticity: 3, ownership: 2, quality: 3 },
  // What the pool has already is worth nothing again, however authentic it is; what has less than a twentieth that is new is refused.
  factors: ['uniqueness'],
  minimumScore: 0.05,
  attributes: ({ orders }) => ({ orders: orders.length }),
})
