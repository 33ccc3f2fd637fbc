/** The only error texts that leave the API: none is made from what happened inside. */
export const apiErrorTexts = {
  NOT_FOUND: 'there is nothing under this address',
  NONCE_INVALID: 'nonce must be 0x and 64 lower-case hex digits',
  ADDRESS_INVALID: 'pool must be 0x and 40 hex digits',
  ID_INVALID: 'the id must be a decimal number',
  BODY_INVALID: 'the body must be JSON: { "manifest": <job manifest> }',
  BODY_TOO_LARGE: 'the body is larger than 256 KiB',
  ENCODING_UNSUPPORTED: 'bodies are taken as they are; send it without content-encoding',
  ADDRESS_TOO_LONG: 'the address is longer than 2 kB',
  RATE_LIMITED: 'too many calls from this address; come again after the seconds in retry-after',
  CONTRIBUTION_UNKNOWN: 'the node has seen no such contribution; it follows the chain with a delay',
  JOB_UNKNOWN: 'the node has seen no such job over pools that it serves; it follows the chain with a delay',
  RECEIPT_NOT_READY: 'there is no receipt yet; ask for the state of the job',
  RESULT_NOT_READY: 'there is no result, or it is not released yet; ask for the state of the job',
  INTERNAL: 'the node failed; the operator finds the reason in the log',
} as const

/** Codes of the API's errors. */
export type ApiErrorCode = keyof typeof apiErrorTexts
