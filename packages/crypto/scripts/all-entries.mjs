// What `.size-limit.json` weighs: everything that the package offers, in one bundle.
export * as aggregate from '../dist/aggregate/index.js'
export * as main from '../dist/index.js'
export * as interop from '../dist/interop/index.js'
export * as postQuantum from '../dist/post-quantum/index.js'
export * as recovery from '../dist/recovery/index.js'
export * as threshold from '../dist/threshold/index.js'
