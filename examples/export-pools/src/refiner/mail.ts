import { defineRefiner } from '@sealpool/refine/define'
import { emailAddress } from '@sealpool/refine/normalise'

/** Mailboxes -> when people write to how many, and from which provider; no text, no subject, no address. */
export default defineRefiner({
  id: 'mail',
  version: '1.0.0',
  source: 'mail',
  tables: {
    messages: {
      description: 'One row per message.',
      columns: {
        at: { type: 'timestamp', nullable: true, description: 'When it was sent.' },
        provider: {
          type: 'text',
          maxLength: 255,
          nullable: true,
          description: "Domain of the sender's address.",
        },
        recipients: { type: 'integer', min: 0, description: 'How many addresses it went to.' },
        reply: { type: 'boolean', description: 'Does it answer another message?' },
        characters: { type: 'integer', min: 0, description: 'Length of the text.' },
      },
    },
  },
  map: ({ date, from, to, cc, inReplyTo, text }) => ({
    messages: [
      {
        at: date,
        provider: (from === null ? null : emailAddress(from))?.split('@')[1] ?? null,
        recipients: to.length + cc.length,
        reply: inReplyTo !== null,
        characters: text.length,
      },
    ],
  }),
})
