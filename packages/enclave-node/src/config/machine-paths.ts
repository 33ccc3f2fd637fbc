/** Where the kernel keeps its entries for attestation reports. */
export const tsmFolder = '/sys/kernel/config/tsm/report'

/** NVIDIA's program that says how its driver has set the GPUs. */
export const nvidiaSmi = '/usr/bin/nvidia-smi'

/** NVIDIA's program that asks the GPUs and its attestation service. */
export const nvattest = '/usr/bin/nvattest'

/** Where dstack's guest agent listens. */
export const dstackSocket = '/var/run/dstack.sock'
