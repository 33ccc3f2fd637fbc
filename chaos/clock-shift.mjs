// Loaded into the node before its program (`node --import`): moves the clock that JavaScript sees by the seconds that stand
// in the file SEALPOOL_CHAOS_CLOCK names. The kernel's clock, timers and file times stay as they are.
import { readFileSync } from 'node:fs'

const file = process.env.SEALPOOL_CHAOS_CLOCK
const RealDate = Date
let shift = 0
const read = () => {
  try {
    shift = Number(readFileSync(file, 'utf8')) * 1000 || 0
  } catch {
    shift = 0
  }
}
if (file !== undefined) {
  read()
  setInterval(read, 100).unref()
  globalThis.Date = class ShiftedDate extends RealDate {
    constructor(...given) {
      super(...(given.length === 0 ? [RealDate.now() + shift] : given))
    }
    static now() {
      return RealDate.now() + shift
    }
  }
}
