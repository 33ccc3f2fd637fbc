import { createNativeRuntime } from '../native/index.js'
import { machineOf } from '../native/machine.js'

/** What native programs can be tried behind on this machine, strictest first. */
export async function nativeIsolations(): Promise<('bubblewrap' | 'process')[]> {
  if (process.platform !== 'linux' || machineOf(process.arch) === undefined) return []
  try {
    const runtime = await createNativeRuntime({ isolation: 'bubblewrap' })
    await runtime.close()
    return ['bubblewrap', 'process']
  } catch (error) {
    // A machine may lack it; CI installs it, and must not pass without having tried it.
    if (process.env['CI'] === 'true') throw error
    console.log(`native programs are tried without bubblewrap here: ${String(error)}`)
    return ['process']
  }
}
