import { splitMail } from '../../define/split-mail.js'
import { latin1, latin1Bytes } from './message.js'

/**
 * Splits a mailbox into its messages, exactly as `readMail` does for the code that reads them: see `splitMail`.
 *
 * @param bytes the file; one message alone is a mailbox of one
 * @param most messages that are taken
 * @returns the messages' bytes in order; undefined when there are more than `most`
 */
export function splitMailbox(bytes: Uint8Array, most = 10_000): Uint8Array[] | undefined {
  return splitMail(latin1(bytes), most)?.map(latin1Bytes)
}
