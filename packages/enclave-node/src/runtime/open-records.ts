/**
 * Opens what the node keeps for others to check: the audit log and the log of receipts.
 * @module
 */
import { type Address, type Digest, parseDigest } from '@sealpool/crypto'
import type { NodeService } from '../api/node-service.js'
import { type AuditHead, emptyAudit } from '../audit/audit-chain.js'
import { type AuditLog, openAuditFile } from '../audit/audit-file.js'
import { auditPath } from '../config/data-folders.js'
import type { NodeConfig } from '../config/node-config.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import { logOrigin, receiptLog } from '../log/receipt-log.js'
import { ed25519PublicKey, platformNow } from '../platform.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import type { StateStore } from '../state/state-store.js'
import type { NodeLogger } from './logger.js'

const headKey = 'audit head'
const zeroAddress: Address = `0x${'0'.repeat(40)}`
/** Milliseconds between two notes of where the audit log ends. */
const noteMs = 60_000

/** What is opened. */
export interface NodeRecords {
  readonly audit: AuditLog
  readonly log: NodeService['log']
  /** The audit log from an entry on, with its head signed. */
  readAudit: NodeService['audit']
  /** Writes what is still counted, the end, and where the log ends. */
  close(): Promise<void>
}

/** Opens both logs, and notes the start. */
export async function openRecords(options: {
  readonly config: NodeConfig
  readonly store: StateStore
  readonly keys: NodeKeyRing
  readonly sign: NodeSigner
  readonly simulated: boolean
  readonly log: NodeLogger
}): Promise<NodeRecords> {
  const { config, store, keys, sign, log } = options
  const { deployment } = config.chain
  const { log: audit, lost } = openAuditFile({
    path: auditPath(config),
    known: readHead(await getMeta(store, headKey)),
    now: platformNow,
  })
  if (lost) log.error('the audit log was cut, changed or taken away; the new one says so in its first entry')
  let noted = ''
  const note = async (): Promise<void> => {
    const text = JSON.stringify(audit.head())
    if (text === noted) return
    noted = text
    await setMeta(store, headKey, text)
  }
  audit.write({
    event: 'start',
    facts: { keySet: keys.keySetDigest, simulated: options.simulated, access: config.api.access },
  })
  await note()
  const timer = setInterval(() => {
    try {
      audit.flush()
    } catch (error) {
      log.error({ err: error }, 'the audit log cannot be written')
    }
    note().catch((error: unknown) => log.warn({ err: error }, 'the end of the audit log was not noted'))
  }, noteMs)
  timer.unref()

  const receipts = receiptLog({
    store,
    origin: logOrigin(keys.statementAddress, deployment),
    privateKey: keys.logSecret(deployment),
    publicKeyOf: ed25519PublicKey,
  })
  const statement = sign({
    type: 'sealpool/receipt-log-key',
    body: { key: receipts.key },
    pool: zeroAddress,
    subject: subjectOf(0),
    nonce: '0',
  })
  return {
    audit,
    log: { ...receipts, statement },
    readAudit(from) {
      const { length, digest } = audit.head()
      const head = sign({
        type: 'sealpool/audit-head',
        body: { length, digest },
        pool: zeroAddress,
        subject: subjectOf(length),
        nonce: '0',
      })
      return { length, digest, head, entries: audit.read(from) }
    },
    async close() {
      clearInterval(timer)
      try {
        audit.flush()
        audit.write({ event: 'stop', facts: {} })
        await note()
      } catch (error) {
        // What follows must still be closed.
        log.error({ err: error }, 'the end of the audit log was not written')
      }
    },
  }
}

/** The head as it was noted; the state is authenticated, so that only this node has written it. */
function readHead(text: string | undefined): AuditHead {
  if (text === undefined) return emptyAudit
  const { length, digest } = JSON.parse(text) as { readonly length: number; readonly digest: string | null }
  return { length, digest: digest === null ? null : (parseDigest(digest) as Digest) }
}
