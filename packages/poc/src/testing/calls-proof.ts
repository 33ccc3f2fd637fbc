/** A proof over members that are named by the contributor: calls by telephone number. */
import * as z from 'zod/mini'
import { definePoc } from '../define/index.js'

export default definePoc({
  id: 'test/calls',
  version: '1',
  input: z.object({
    calls: z.record(z.string(), z.number()),
    list: z.array(z.object({ n: z.number() })),
  }),
  checks: { any: () => ({ passed: true }) },
  score: { quality: 1 },
})
