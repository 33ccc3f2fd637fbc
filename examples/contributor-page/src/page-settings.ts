import type { Deployment } from '@sealpool/contracts'
import type { Address, Digest, JsonObject } from '@sealpool/crypto'

/** What the page is told about its pool. It is the app's own file: deploy it with the page, and let nobody else write it. */
export interface PageSettings {
  readonly deployment: Deployment
  readonly pool: Address
  /** The rules as the page shows them. That they are the pool's own is checked against the chain. */
  readonly policy: JsonObject
  readonly schemaId: Digest
  readonly mediaType: string
  readonly consentText: string
  /** Address of an RPC endpoint that the app trusts. */
  readonly rpcUrl: string
  readonly nodeUrl: string
  readonly blobUrl: string
}

/** Settings as JSON: numbers of any size are decimal text, and addresses on the web may be relative to the page. */
export function formatPageSettings(settings: PageSettings): string {
  const { deployment } = settings
  return JSON.stringify({
    ...settings,
    deployment: { ...deployment, blockNumber: deployment.blockNumber.toString() },
  })
}

/** Reads what {@link formatPageSettings} wrote. */
export async function loadPageSettings(): Promise<PageSettings> {
  const answer = await fetch('pool.json')
  if (!answer.ok) throw new Error(`pool.json cannot be read (${answer.status})`)
  const json = (await answer.json()) as PageSettings
  const { deployment } = json
  const absolute = (path: string) => new URL(path, location.href).href
  return {
    ...json,
    deployment: { ...deployment, blockNumber: BigInt(deployment.blockNumber) },
    rpcUrl: absolute(json.rpcUrl),
    nodeUrl: absolute(json.nodeUrl),
    blobUrl: absolute(json.blobUrl),
  }
}
