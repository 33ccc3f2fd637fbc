/**
 * Who calls the API, and how they come by it. Tokens are made and checked here; wallets sign in here.
 * @module
 */
import { createHmac } from 'node:crypto'
import {
  type AccessRole,
  attenuateCapability,
  type Capability,
  type CapabilityHead,
  type Caveat,
  mintCapability,
  openCall,
  openCapability,
  type SealedAnswer,
  type SealedCall,
  signInDomain,
  signInUri,
} from '@sealpool/client/access'
import { type Address, type Digest, encodeHex, type Hex } from '@sealpool/crypto'
import { hashMessage, recoverMessageAddress, type Hex as ViemHex } from 'viem'
import { checkSignIn } from '../access/check-sign-in.js'
import { expiryOf, idsOf, isAgent } from '../access/decide-access.js'
import { singleUse } from '../access/single-use.js'
import type { AuditFact } from '../audit/audit-chain.js'
import type { ApiErrorCode } from './api-error.js'
import { signInNonces } from './sign-in-nonce.js'

/** What authentication stands on. */
export interface AuthenticationOptions {
  /** Whether anonymous callers may what the matrix marks `open`. */
  readonly open: boolean
  readonly chainId: number
  /** Address under which callers know the node; asked at every call, since a free port is known only when it is taken. */
  readonly publicUrl: () => string
  readonly keySet: Digest
  /** The key set's HPKE key. */
  readonly privateKey: Uint8Array
  /** Key of the tokens. */
  readonly tokenKey: Uint8Array
  /** Wallets that may sign in as operators, lower case. */
  readonly operators: ReadonlySet<Address>
  /** Longest session in seconds. */
  readonly sessionSeconds: number
  /** Whether an address is the statement key of a node that the chain lists as active. */
  readonly isPeer: (address: Address) => Promise<boolean>
  /** Asks a contract wallet (ERC-1271). */
  readonly isContractSignature: (wallet: Address, hash: Hex, signature: Hex) => Promise<boolean>
  readonly anyRevoked: (ids: readonly string[]) => Promise<boolean>
  readonly revoke: (id: string, expires: number) => Promise<void>
  readonly random: (length: number) => Uint8Array
  /** Unix seconds. */
  readonly now: () => number
  readonly audit: { write(fact: AuditFact): void; count(fact: AuditFact): void }
}

/** An opened session. */
export interface Session {
  readonly token: string
  readonly address: Address
  readonly roles: readonly AccessRole[]
  readonly expiresAt: number
  readonly caller: string
}

/** Who calls, and how they come by it. */
export interface Authentication {
  readonly open: boolean
  /** A sealed call, opened; or why it is refused. */
  openSealed(
    sealed: Uint8Array,
  ): Promise<
    | { readonly call: SealedCall; readonly sealAnswer: (answer: SealedAnswer) => Promise<Uint8Array> }
    | ApiErrorCode
  >
  challenge(): {
    readonly nonce: string
    readonly domain: string
    readonly uri: string
    readonly chainId: number
    readonly keySet: Digest
  }
  signIn(message: string, signature: Hex): Promise<Session | ApiErrorCode>
  /** A token, believed; or why it is refused. */
  admit(token: string): Promise<Capability | ApiErrorCode>
  signOut(session: Capability): Promise<void>
  /** A token for an agent of this session's wallet. */
  delegate(
    session: Capability,
    wish: { readonly expiresAt: number; readonly caveats: readonly unknown[] },
  ): { readonly token: string; readonly id: string; readonly expiresAt: number } | ApiErrorCode
  /** Revokes a token of the same wallet. */
  revoke(session: Capability, token: string): Promise<{ readonly revoked: string } | ApiErrorCode>
  /** Notes a call of somebody who is known. */
  noteCall(capability: Capability, endpoint: string, status: number): void
}

/** Seconds that a sealed call may be old, or ahead of the node's clock. */
const callAgeSeconds = 120
const rememberedCalls = 200_000
const longestTokenSeconds = 90 * 86_400

/** Begins authentication for a node that has just been started. */
export function openAuthentication(options: AuthenticationOptions): Authentication {
  const { now, random, tokenKey, keySet, audit } = options
  const startedAt = now()
  const nonces = signInNonces({ random, now })
  const calls = singleUse({ capacity: rememberedCalls, now })
  const newId = () => encodeHex(random(16)).slice(2)
  const callerKey = createHmac('sha256', tokenKey).update('caller').digest()
  const callerOf = (address: Address) =>
    createHmac('sha256', callerKey).update(address).digest('hex').slice(0, 16)

  const mint = (head: Pick<CapabilityHead, 'use' | 'address' | 'roles' | 'expiresAt'>) => {
    const id = newId()
    const issuedAt = now()
    const whole = { format: 'sealpool/capability', version: 1, id, keySet, issuedAt, ...head } as const
    return { id, token: mintCapability({ key: tokenKey, head: whole }) }
  }
  const read = (token: string): Capability | undefined => {
    try {
      return openCapability({ key: tokenKey, token })
    } catch {
      // Whatever the text is, it is no token of this node.
      return undefined
    }
  }
  const mayHave = async (role: AccessRole, address: Address): Promise<boolean> => {
    if (role === 'operator') return options.operators.has(address)
    return role === 'peer' ? options.isPeer(address) : true
  }
  const refuseSignIn = (code: ApiErrorCode): ApiErrorCode => {
    audit.count({ event: 'sign-in-refused', facts: { code } })
    return code
  }

  return {
    open: options.open,
    async openSealed(sealed) {
      const opened = await openCall({ keySet, privateKey: options.privateKey, sealed, random }).catch(
        () => undefined,
      )
      if (opened === undefined) return 'SEALED_CALL_INVALID'
      const { at, nonce } = opened.call
      // From before the start, too: what was made then may have been made already, and nobody here remembers.
      if (at < startedAt || Math.abs(now() - at) > callAgeSeconds) return 'CALL_STALE'
      const taken = calls.take(nonce, at + callAgeSeconds)
      if (taken === 'full') return 'BUSY'
      return taken === 'repeated' ? 'CALL_REPEATED' : opened
    },
    challenge: () => ({
      nonce: nonces.issue(),
      domain: signInDomain(options.publicUrl()),
      uri: signInUri(options.publicUrl()),
      chainId: options.chainId,
      keySet,
    }),
    async signIn(message, signature) {
      const url = options.publicUrl()
      const said = checkSignIn(message, {
        domain: signInDomain(url),
        uri: signInUri(url),
        chainId: options.chainId,
        keySet,
        now: now(),
      })
      if (typeof said === 'string') return refuseSignIn(said)
      const nonce = nonces.take(said.nonce)
      if (nonce !== null) return refuseSignIn(nonce)
      let accepted = false
      try {
        if (!(await isSignature(said.address, message, signature, options.isContractSignature)))
          return refuseSignIn('SIGN_IN_SIGNATURE')
        for (const role of said.roles) {
          if (!(await mayHave(role, said.address))) return refuseSignIn('SIGN_IN_ROLE')
        }
        accepted = true
      } finally {
        if (!accepted) nonces.release(said.nonce)
      }
      const { address, roles } = said
      const expiresAt = Math.min(said.expiresAt, now() + options.sessionSeconds)
      const caller = callerOf(address)
      const { token } = mint({ use: 'session', address, roles, expiresAt })
      audit.write({ event: 'sign-in', facts: { caller, roles: [...roles], expiresAt } })
      return { token, address, roles, expiresAt, caller }
    },
    async admit(token) {
      const capability = read(token)
      if (capability === undefined || capability.head.keySet !== keySet) return 'TOKEN_INVALID'
      if (expiryOf(capability) <= now()) return 'TOKEN_EXPIRED'
      if (await options.anyRevoked(idsOf(capability))) return 'TOKEN_REVOKED'
      const { address, roles } = capability.head
      // Whoever is taken off the list is no operator from then on, whatever an older token says.
      return roles.includes('operator') && !options.operators.has(address) ? 'TOKEN_REVOKED' : capability
    },
    async signOut({ head }) {
      await options.revoke(head.id, head.expiresAt)
      audit.write({ event: 'sign-out', facts: { caller: callerOf(head.address) } })
    },
    delegate({ head }, { expiresAt, caveats }) {
      const latest = now() + longestTokenSeconds
      if (expiresAt <= now() || expiresAt > latest) return 'TOKEN_REQUEST_INVALID'
      const { address } = head
      const roles = head.roles.filter((role) => role === 'contributor' || role === 'consumer')
      if (roles.length === 0) return 'ROLE_NOT_ALLOWED'
      const { id, token } = mint({ use: 'agent', address, roles, expiresAt })
      let narrowed: string
      try {
        narrowed = attenuateCapability(token, caveats as readonly Caveat[])
      } catch {
        return 'TOKEN_REQUEST_INVALID'
      }
      audit.write({ event: 'token-given', facts: { caller: callerOf(address), token: id, expiresAt } })
      return { token: narrowed, id, expiresAt }
    },
    async revoke({ head }, token) {
      const target = read(token)
      if (target === undefined || target.head.address !== head.address) return 'REVOCATION_INVALID'
      const revoked = idsOf(target).at(-1) ?? target.head.id
      await options.revoke(revoked, target.head.expiresAt)
      audit.write({ event: 'token-revoked', facts: { caller: callerOf(head.address), token: revoked } })
      return { revoked }
    },
    noteCall(capability, endpoint, status) {
      const caller = callerOf(capability.head.address)
      audit.count({ event: 'calls', facts: { caller, agent: isAgent(capability), endpoint, status } })
    },
  }
}

/** EIP-191 by the address itself, or, where a contract is the wallet, ERC-1271. */
async function isSignature(
  address: Address,
  message: string,
  signature: Hex,
  isContractSignature: AuthenticationOptions['isContractSignature'],
): Promise<boolean> {
  if (signature.length === 132) {
    const signer = await recoverMessageAddress({ message, signature: signature as ViemHex }).catch(
      () => undefined,
    )
    if (signer?.toLowerCase() === address) return true
  }
  return isContractSignature(address, hashMessage(message), signature)
}
