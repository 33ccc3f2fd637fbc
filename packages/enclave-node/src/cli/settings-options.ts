/**
 * Options by which commands of `sealpool-node` are given a node's settings.
 * @module
 */
import type { Given, OptionSpec } from './arguments.js'
import type { ConfigFlags } from './load-config.js'

/** Settings, what overrides them, and the secrets: of every command that works on a node's own state, keys or chain. */
export const settingsOptions = {
  config: { value: 'FILE', help: 'the node’s settings, JSON', required: true },
  data: { value: 'DIR', help: 'data directory; overrides the settings and SEALPOOL_DATA_DIRECTORY' },
  rpc: { value: 'URL', help: 'the chain’s endpoint; overrides the settings and SEALPOOL_RPC_URL' },
  secrets: {
    value: 'FILE',
    help: 'JSON with transactionKey, databaseUrl, s3; the environment wins. Default SEALPOOL_SECRETS_FILE',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

/**
 * @param given a command line with `--config`
 * @returns what of it overrides the settings file
 */
export function configFlags(given: Given): ConfigFlags {
  return {
    config: given.need('config'),
    data: given.get('data'),
    port: given.get('port'),
    rpc: given.get('rpc'),
    secrets: given.get('secrets'),
  }
}
