// Event logs of firmware (CCEL) against the quotes and the parsed forms that stand beside them.
const base64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

const unpacked = (path) => path.replace(/\.gz$/, '')

/** Logs by what `files.json` says of them; a parsed form is another program's reading of the log. */
export function firmwareLogCases({ files, library, tally }) {
  tally.expect('firmware event log, read')
  for (const { path, what } of files.json('files.json')) {
    if (!/^CCEL/.test(what ?? '') || /\.table\.bin$|\/CCEL\.bin$/.test(path)) continue
    tally.attempt('firmware event log, read', path, () => firmwareLogCase(path, { files, library, tally }))
  }
}

function firmwareLogCase(path, { files, library, tally }) {
  const name = unpacked(path)
  const { events, code } = read(files.bytes(name), library)
  const parsed = `${name}_out.json`
  if (files.has(parsed)) {
    const expected = files.json(parsed).uefi_event_logs ?? []
    // Logs of another vendor's guests (Hygon CSV) have SM3 digests only: no register of a TDX quote can confirm them.
    const foreign = expected.every(({ digests }) => digests?.every(({ alg }) => alg !== 'SHA-384'))
    const agrees = foreign ? events === undefined : sameEvents(events ?? [], expected, library)
    tally.count('firmware event log, parsed', agrees, `${name}: ${code}`)
    return
  }
  tally.count('firmware event log, read', events !== undefined, `${name}: ${code}`)
  if (events !== undefined) separators(name, files.bytes(name), library, tally)
}

function read(bytes, library) {
  try {
    return { events: library.parseFirmwareEventLog(bytes) }
  } catch (error) {
    if (error.code !== 'BAD_EVENT_LOG') throw error
    return { code: `${error.code} ${error.message}` }
  }
}

/** Digest and data of each event; the other program also lists the header, which is no event. */
function sameEvents(events, expected, library) {
  const wanted = expected.filter(({ digests }) => digests?.some(({ alg }) => alg === 'SHA-384'))
  return (
    wanted.length > 0 &&
    wanted.length === events.length &&
    wanted.every(({ digests, event, index }, i) => {
      const { digest } = digests.find(({ alg }) => alg === 'SHA-384')
      return (
        digest === library.hex(events[i].digest) &&
        library.hex(base64(event)) === library.hex(events[i].data) &&
        (index === undefined || index === events[i].register)
      )
    })
  )
}

/** A log with a second separator poses as one from before the boot: an attack that must be seen, beside the honest log. */
function separators(name, bytes, library, tally) {
  if (!name.includes('cos-113')) return
  const zero = `0x${'00'.repeat(48)}`
  const { checks } = library.verifyFirmwareEventLog(bytes, { rtmrs: [zero, zero, zero, zero] })
  const result = checks.find(({ id }) => id === 'separators').result
  tally.count('firmware event log, separators', (result === 'fail') === name.includes('dupe-separator'), name)
}
