// Loaded before a node's program (`--import`), in files that begin with SEALPOOL_TEST_WATCH: notes every 32 bytes that it draws, so that a
// test knows the node's keys and can look for them in its memory, and whom it calls.
import { openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'

const noted = (name) => openSync(`${process.env.SEALPOOL_TEST_WATCH}.${name}`, 'a', 0o600)
const [draws, calls] = [noted('draws'), noted('calls')]

const { getRandomValues } = Crypto.prototype
Crypto.prototype.getRandomValues = function (array) {
  getRandomValues.call(this, array)
  // From where they were drawn into: the noting itself leaves no copy in memory.
  if (array.byteLength === 32) writeSync(draws, array)
  return array
}

const { connect } = Socket.prototype
Socket.prototype.connect = function (...given) {
  const [options] = Array.isArray(given[0]) ? given[0] : given
  writeSync(calls, `${options.path ?? `${options.host ?? 'localhost'}:${options.port}`}\n`)
  return connect.apply(this, given)
}

// On this signal what nothing refers to is collected (node --expose-gc), and a byte more says that it is done.
process.on('SIGUSR2', () => {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.()
  writeSync(noted('collected'), '.')
})
