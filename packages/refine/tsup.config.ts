import { preset } from '../../tsup.preset.js'

export default preset({ extraEntries: ['src/duckdb/duckdb-worker.ts', 'src/file-job/piece-worker.ts'] })
