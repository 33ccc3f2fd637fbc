/** Blocks that come by the clock, as on a chain that others use as well. */
import { setTimeout as sleep } from 'node:timers/promises'
import { rpc } from './rpc-proxy.js'

/** A chain that mines. */
export interface Mining {
  /** From the next block on, one comes so often. @param milliseconds null: as at the beginning */
  every(milliseconds: number | null): void
  stop(): Promise<void>
}

/** Mines until it is stopped. @param everyMs milliseconds between two blocks */
export function mineBlocks(rpcUrl: string, everyMs: number): Mining {
  let stopped = false
  let pace = everyMs
  const run = async (): Promise<void> => {
    while (!stopped) {
      // Anvil may be in the middle of a reorganisation: the next block comes in a moment.
      await rpc(rpcUrl, 'evm_mine', []).catch(() => undefined)
      await sleep(pace)
    }
  }
  const running = run()
  return {
    every(milliseconds) {
      pace = milliseconds ?? everyMs
    },
    async stop() {
      stopped = true
      await running
    },
  }
}
