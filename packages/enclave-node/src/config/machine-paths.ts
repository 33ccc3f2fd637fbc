/** Where the kernel keeps its entries for attestation reports. */
export const tsmFolder = '/sys/kernel/config/tsm/report'

/** Where dstack's guest agent listens. */
export const dstackSocket = '/var/run/dstack.sock'
