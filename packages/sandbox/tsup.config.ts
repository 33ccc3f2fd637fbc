import { preset } from '../../tsup.preset.js'

// The worker is started as a file of its own, so its export has no source condition: under vitest, which sets that
// condition for native resolution too, plain node would be given TypeScript. Node's builtins are unknown to the
// preset's neutral platform; the edges of this package import them.
export default Object.assign(preset({ extraEntries: ['src/process/worker.ts'] }), { external: [/^node:/] })
