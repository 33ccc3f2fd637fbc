import { preset } from '../../tsup.preset.js'

// The suites of the ports are built for `npm run conformance -- node`; they are not published.
export default preset({ extraEntries: ['src/testing/port-suites.ts', 'src/testing/protocol-suites.ts'] })
