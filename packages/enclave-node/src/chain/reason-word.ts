import type { Hex } from '@sealpool/crypto'
import { stringToHex } from 'viem'

/** A reason as the contract's 32-byte word: at most 31 ASCII characters. */
export function reasonWord(reason: string): Hex {
  return stringToHex(reason.slice(0, 31), { size: 32 })
}
