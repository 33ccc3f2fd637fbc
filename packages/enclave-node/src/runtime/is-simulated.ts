import type { NodeConfig } from '../config/node-config.js'

/** Whether the settings ask for anything that only stands in for hardware; the log says so from its first line. */
export function isSimulated({ evidence, keyRelease }: NodeConfig): boolean {
  return evidence.provider === 'simulator' || ['development', 'sealed'].includes(keyRelease.adapter)
}
