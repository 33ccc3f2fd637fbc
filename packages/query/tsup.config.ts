import { preset } from '../../tsup.preset.js'

// Under names of their own, so that the manifest's `browser` field can put one in the other's place.
export default preset({
  extraEntries: ['src/parse/installed-grammar.ts', 'src/parse/no-installed-grammar.ts'],
})
