export { xwingKem } from './xwing-kem.js'
export { deriveXwingKeyPair, xwingIdentity, xwingRecipient } from './xwing-recipient.js'
