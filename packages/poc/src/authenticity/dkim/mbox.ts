/**
 * Splits a mailbox (RFC 4155, with the quoting of mboxrd: lines that begin with any number of `>` and `From ` lose one `>`) into
 * its messages.
 *
 * @param bytes the file; one message alone is a mailbox of one
 * @param most messages that are taken
 * @returns the messages' bytes in order; undefined when there are more than `most`
 */
export function splitMailbox(bytes: Uint8Array, most = 10_000): Uint8Array[] | undefined {
  if (!startsWith(bytes, 0, FROM)) return bytes.length === 0 ? [] : [bytes]
  const messages: Uint8Array[] = []
  let lineStart = nextLine(bytes, 0)
  let first = lineStart
  let quoted = false
  let before = false
  const take = (end: number): boolean => {
    const message = bytes.subarray(first, end)
    messages.push(quoted ? unquoted(message) : message)
    return messages.length <= most
  }
  for (; lineStart < bytes.length; ) {
    const next = nextLine(bytes, lineStart)
    const blank = next - lineStart <= 2 && isBlank(bytes, lineStart, next)
    if (before && startsWith(bytes, lineStart, FROM)) {
      // The blank line before the separator belongs to the mailbox, not to the message.
      const gap = bytes[lineStart - 2] === 0x0d ? 2 : 1
      if (!take(lineStart - gap)) return undefined
      first = next
      quoted = false
    } else if (bytes[lineStart] === 0x3e) {
      quoted = true
    }
    before = blank
    lineStart = next
  }
  return take(bytes.length) ? messages : undefined
}

const FROM = [0x46, 0x72, 0x6f, 0x6d, 0x20]

function startsWith(bytes: Uint8Array, at: number, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[at + index] === byte)
}

function nextLine(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(0x0a, at)
  return end === -1 ? bytes.length : end + 1
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0x0d && bytes[at] !== 0x0a) return false
  return true
}

function unquoted(message: Uint8Array): Uint8Array {
  const kept: number[] = []
  for (let at = 0; at < message.length; ) {
    const next = nextLine(message, at)
    let marks = at
    while (message[marks] === 0x3e) marks++
    const from = marks > at && startsWith(message, marks, FROM) ? at + 1 : at
    for (let index = from; index < next; index++) kept.push(message[index] ?? 0)
    at = next
  }
  return Uint8Array.from(kept)
}
