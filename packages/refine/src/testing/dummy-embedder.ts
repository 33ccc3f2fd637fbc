import { sha256Digest } from '@sealpool/crypto'
import type { Embedder } from '../embedding/embedder.js'

/** What a note's kind is told by: the first number of its vector is how many words of money it has, and so on. */
const subjects = [
  ['money', 'bank', 'price', 'paid'],
  ['train', 'road', 'ride', 'walked'],
  ['soup', 'bread', 'ate', 'cooked'],
] as const

/** A model that counts words: each text has its own vector, texts of one subject have near ones. A text without any of them has none. */
export const dummyEmbedder: Embedder = {
  model: sha256Digest(new TextEncoder().encode(JSON.stringify(subjects))),
  dimensions: subjects.length,
  embed: (texts) =>
    texts.map((text) => {
      const words = text.toLowerCase().split(/[^a-z]+/)
      return subjects.map((known) => words.filter((word) => known.some((one) => one === word)).length)
    }),
}
