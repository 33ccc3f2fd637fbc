import { definePoc } from '@sealpool/poc/define'

/** Takes anything, and sees whether what it took changed the objects of everybody. */
export default definePoc({
  id: 'any',
  version: '1',
  input: (raw) => raw,
  checks: {
    clean: () => ({ passed: !('polluted' in {}) && Object.keys(Object.prototype).length === 0 }),
  },
  score: { quality: 1 },
})
