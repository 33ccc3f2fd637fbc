import { preset } from '../../tsup.preset.js'

// The worker is started as a file of its own, so its export has no source condition: under vitest, which sets that
// condition for native resolution too, plain node would be given TypeScript.
export default preset({ extraEntries: ['src/process/worker.ts'] })
