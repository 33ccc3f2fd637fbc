/**
 * The page: verifies the pool's node, contributes one file, goes on after a reload, withdraws.
 * @module
 */
import {
  ClientError,
  type ContributionProgress,
  type Contributor,
  contributionSteps,
  createContributor,
  httpBlobStore,
  mediaTypePreflight,
  sizePreflight,
} from '@sealpool/client'
import { indexedDbJournal } from '@sealpool/client/indexed-db-journal'
import { getContributions } from '@sealpool/contracts'
import { digestOf } from '@sealpool/crypto'
import { isAddressEqual } from 'viem'
import { find, line, make } from './element.js'
import { loadPageSettings, type PageSettings } from './page-settings.js'
import { policyInWords } from './policy-in-words.js'
import { type ConnectedWallet, connectWallet, ownCopyKey, readingChain } from './wallet.js'

/** A file that the contributor chose. */
interface Chosen {
  readonly name: string
  readonly bytes: Uint8Array
  /** Names the file in the journal, so that the same file goes on where it stood. */
  readonly key: string
}

/** What the page remembers of a contribution that was begun: nothing of the file. */
const unfinishedItem = 'sealpool-unfinished'

const stepTitles = {
  preflight: 'Look at the file, here on your machine',
  verify: 'Verify the node',
  seal: 'Seal the file to the pool and to your wallet',
  store: 'Store the sealed file',
  sign: 'Sign the record; your wallet asks you',
  send: 'Send the record to the chain; your wallet asks you',
} as const

const journal = indexedDbJournal()
const settings = await loadPageSettings()
let client = clientOn(readingChain(settings))
let wallet: ConnectedWallet | undefined
let chosen: Chosen | undefined
let fit = false
let busy = false

function clientOn(chain: ConnectedWallet['chain']): Contributor {
  const { deployment, pool, policy, nodeUrl, blobUrl, mediaType } = settings
  const blobStore = httpBlobStore({ url: blobUrl })
  const preflight = [
    sizePreflight({ maximumBytes: 100_000 }),
    mediaTypePreflight([mediaType]),
    payslipPreflight,
  ]
  return createContributor({ chain, deployment, pool, policy, nodeUrl, blobStore, journal, preflight })
}

/** The columns that the pool reads must be there; better to hear it here than from the node, after the gas was paid. */
function payslipPreflight({ bytes }: { readonly bytes: Uint8Array }) {
  const id = 'payslip'
  const title = 'The file is a payslip as the pool reads it'
  try {
    const { wage, sector } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
    if (typeof wage === 'number' && (sector === 'mill' || sector === 'mine')) {
      return { id, title, result: 'pass', detail: 'wage and sector are there' } as const
    }
  } catch {
    // Not JSON: the same answer.
  }
  return { id, title, result: 'fail', detail: 'expected {"wage": 12.5, "sector": "mill"}' } as const
}

function showRules({ policy, consentText }: PageSettings): void {
  find('p', 'description').textContent = String(policy['description'])
  find('q', 'consent-text').textContent = consentText
  const rules = policyInWords(policy).flatMap(([title, text]) => [
    make('dt', '', title),
    make('dd', '', text),
  ])
  find('dl', 'rules').replaceChildren(...rules)
}

/** Verifies afresh and shows every answer; a node that does not answer is not fit either. */
async function verify(): Promise<void> {
  const verdict = find('p', 'verdict')
  const again = find('button', 'verify-again')
  again.disabled = true
  try {
    const { ok, simulated, summary, checks } = await client.ready()
    fit = ok
    find('p', 'simulated').hidden = !simulated
    verdict.textContent = ok
      ? `${checks.length} checks passed. Nothing but a random number was sent.${simulated ? ' The pool allows a simulator.' : ''}`
      : 'NOT FIT. Nothing can be sent.'
    const lines = summary.map(({ id, result, title, detail }) =>
      // What a simulator says is allowed here, and is nothing to be reassured by.
      line(id === 'hardware' && result === 'pass' && simulated ? 'simulated' : result, title, detail),
    )
    find('ul', 'checks').replaceChildren(...lines)
    const every = checks.map(({ result, title, detail }) =>
      make('li', result, `${title}: ${result}. ${detail}`),
    )
    find('ol', 'every-check').replaceChildren(...every)
    find('details', 'all-checks').hidden = false
  } catch (error) {
    fit = false
    verdict.textContent = `NOT FIT. Nothing can be sent: ${wordsOf(error)}`
    find('ul', 'checks').replaceChildren()
    find('details', 'all-checks').hidden = true
  }
  again.disabled = false
  update()
}

/** What is missing before the button works, in words beside it. */
function update(): void {
  const missing = [
    ...(fit ? [] : ['a node that is fit']),
    ...(wallet === undefined ? ['a wallet'] : []),
    ...(chosen === undefined ? ['a file'] : []),
    ...(find('input', 'consent').checked ? [] : ['your agreement']),
  ]
  find('button', 'contribute').disabled = busy || missing.length > 0
  find('p', 'why-not').textContent = missing.length === 0 ? '' : `Still needed: ${missing.join(', ')}.`
  const unfinished = localStorage.getItem(unfinishedItem)
  const note = find('p', 'unfinished')
  note.hidden = unfinished === null || busy
  note.textContent = `You began to contribute ${unfinished ?? ''} and did not come to the end. Choose the same file again and press Contribute: it goes on where it stood, and counts once.`
}

function choose(name: string, bytes: Uint8Array, version: number): void {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(-60)
  chosen = { name, bytes, key: `file-${plain}-${bytes.length}-${version}` }
  find('p', 'chosen').textContent =
    `${name}, ${bytes.length} bytes. It stays on your machine until it is sealed.`
  update()
}

function showSteps(states: ReadonlyMap<string, ContributionProgress['state']>): void {
  const list = find('ol', 'steps')
  list.hidden = false
  list.replaceChildren(
    ...contributionSteps.map((step) => line(states.get(step) ?? 'waiting', stepTitles[step])),
  )
}

async function contribute(): Promise<void> {
  if (wallet === undefined || chosen === undefined) return
  const { schemaId, mediaType, consentText, deployment } = settings
  const { name, bytes, key } = chosen
  const states = new Map<string, ContributionProgress['state']>()
  const onProgress = ({ step, state }: ContributionProgress) => showSteps(states.set(step, state))
  find('p', 'outcome').textContent = ''
  localStorage.setItem(unfinishedItem, name)
  const walletPublicKey = await ownCopyKey(wallet, deployment.chainId)
  const input = { bytes, mediaType, schemaId, consentDigest: digestOf(consentText), walletPublicKey }
  const { id, resumed } = await client.contribute(wallet.account, input, { key, onProgress })
  localStorage.removeItem(unfinishedItem)
  await journal.delete(key)
  find('p', 'outcome').textContent =
    `Contribution ${id} stands on chain.${resumed ? ' It went on where it had stopped.' : ''} The node judges it now.`
  await showMine()
}

/** The contributor's own contributions, as the chain has them; asked again while the node is not done with one. */
async function showMine(): Promise<void> {
  if (wallet === undefined) return
  const { deployment, pool } = settings
  const { address, chain } = wallet
  const events = await getContributions(chain, { deployment, pool, fromBlock: deployment.blockNumber })
  const own = events.filter(({ owner }) => isAddressEqual(owner, address)).reverse()
  let open = false
  const rows = await Promise.all(
    own.map(async ({ id }) => {
      const { chain: record, node } = await client.contributionStatus(id)
      const withdrawn = record.state === 'Withdrawn'
      const ready = node?.state === 'refined' && !withdrawn
      open ||= !withdrawn && !ready && record.state !== 'Refused' && node?.state !== 'refused'
      const parts = [
        record.state === 'Offered' ? 'offered, not judged yet' : record.state.toLowerCase(),
        ...(record.state === 'Accepted' ? [`score ${record.score / 100} %`] : []),
        ...(ready ? ['jobs can use it'] : []),
        ...(node?.reason ? [node.reason] : []),
        ...(node?.reasonText ? [node.reasonText] : []),
      ]
      const text = make('span', '', `Contribution ${id}: ${parts.join(', ')}`)
      if (withdrawn) return make('li', '', text)
      const button = make('button', 'quiet', 'Withdraw')
      button.type = 'button'
      button.setAttribute('aria-label', `Withdraw contribution ${id}`)
      button.addEventListener('click', () => act(() => withdraw(id)))
      return make('li', '', text, button)
    }),
  )
  find('p', 'none').hidden = rows.length > 0
  find('p', 'none').textContent = 'None yet.'
  find('ul', 'mine').replaceChildren(...rows)
  if (open) setTimeout(() => showMine().catch(showProblem), 1_000)
}

async function withdraw(id: bigint): Promise<void> {
  if (wallet === undefined) return
  await client.withdraw(id, { account: wallet.account })
  find('p', 'outcome').textContent =
    `Contribution ${id} is withdrawn: no job that begins later works on it. Answers that were given before still hold it.`
  await showMine()
}

async function connect(): Promise<void> {
  wallet = await connectWallet(settings)
  client = clientOn(wallet.chain)
  find('output', 'wallet').textContent = wallet.address
  find('button', 'connect').hidden = true
  await showMine()
}

/** Does one thing at a time and tells what went wrong. */
async function act(work: () => Promise<void>): Promise<void> {
  if (busy) return
  busy = true
  find('p', 'problem').textContent = ''
  update()
  try {
    await work()
  } catch (error) {
    showProblem(error)
  } finally {
    busy = false
    update()
  }
}

function showProblem(error: unknown): void {
  find('p', 'problem').textContent = wordsOf(error)
}

/** An error for people. The client's own messages name the remedy and no private value. */
function wordsOf(error: unknown): string {
  if (declined(error))
    return 'You declined in your wallet. Nothing went to the chain; try again when you like.'
  if (error instanceof ClientError) return `${error.message} (${error.code})`
  return error instanceof Error ? error.message : 'something went wrong; reload the page'
}

/** EIP-1193: the user rejected the request. viem wraps it. */
function declined(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if ('code' in one && one.code === 4001) return true
  return false
}

find('button', 'verify-again').addEventListener('click', () => verify())
find('button', 'connect').addEventListener('click', () => act(connect))
find('input', 'consent').addEventListener('change', update)
find('input', 'file').addEventListener('change', async () => {
  const file = find('input', 'file').files?.[0]
  if (file !== undefined) choose(file.name, new Uint8Array(await file.arrayBuffer()), file.lastModified)
})
find('button', 'made-up').addEventListener('click', () => {
  // The same for a wallet, so that it can be chosen again after a reload.
  const wage = 5 + (Number.parseInt((wallet?.address ?? '0x0000').slice(2, 6), 16) % 2000) / 100
  choose('a made-up payslip', new TextEncoder().encode(JSON.stringify({ wage, sector: 'mill' })), 0)
})
find('form', 'form').addEventListener('submit', (event) => {
  event.preventDefault()
  act(contribute)
})
showRules(settings)
update()
await verify()
