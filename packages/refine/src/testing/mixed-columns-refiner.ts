import { defineRefiner } from '@sealpool/refine/define'

const text = { type: 'text', nullable: true, description: 'd' } as const

/** A mapping of whole columns whose field holds whatever an export holds. */
export default defineRefiner({
  id: 'mixed',
  version: '1.0.0',
  source: 'rows',
  tables: {
    mixed: {
      description: 'd',
      columns: {
        field: text,
        hash: text,
        part: text,
        number: { type: 'integer', nullable: true, description: 'd' },
        either: text,
        digit: { type: 'boolean', nullable: true, description: 'd' },
      },
    },
  },
  fields: [{ name: 'field', optional: true }],
  mapColumns: (table) => {
    const field = ['column', 'field']
    const number = ['number', field]
    return {
      mixed: table
        .filter(['not', ['missing', ['sha256', field]]])
        // Texts for some rows and numbers for others.
        .map('either', ['if', ['missing', number], field, ['floor', number]])
        .map('hash', ['sha256', field])
        .map('part', ['slice', field, 0, 3])
        .map('either', [
          'concat',
          ['column', 'either'],
          ['if', ['missing', ['sha256', ['column', 'either']]], ['text', 'n'], ['text', 't']],
        ])
        .map('number', ['floor', number])
        .map('digit', ['matches', field, '^[0-9]', '']),
    }
  },
})
