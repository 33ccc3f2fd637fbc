import { defineRefiner } from '@sealpool/refine/define'

/** Notes with embeddings by the model of `dummy-embedder.ts`. */
export default defineRefiner({
  id: 'notes',
  version: '1.0.0',
  source: 'rows',
  tables: {
    notes: {
      description: 'One row per note.',
      columns: {
        place: {
          type: 'vector',
          nullable: true,
          description: 'What the note is about.',
          embedding: {
            from: 'note',
            model: 'sha256:0000000000000000000000000000000000000000000000000000000000000000',
            dimensions: 3,
          },
        },
        note: { type: 'text', nullable: true, pii: 'mask', description: 'The note.' },
      },
    },
  },
  map: ({ note }) => ({ notes: [{ note: typeof note === 'string' && note !== '' ? note : null }] }),
})
