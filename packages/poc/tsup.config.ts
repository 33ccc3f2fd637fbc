import { preset } from '../../tsup.preset.js'

// The preset's neutral platform does not know Node's builtins; the edges of this package import them.
export default Object.assign(preset(), { external: [/^node:/] })
