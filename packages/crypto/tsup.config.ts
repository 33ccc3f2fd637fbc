import { preset } from '../../tsup.preset.js'

// Under names of their own, so that the manifest's `browser` field can put one in the other's place.
export default preset({ extraEntries: ['src/aead/node-key.ts', 'src/aead/no-node-key.ts'] })
