import { definePoc, inSteps, readCsv, refuse } from '@sealpool/poc/define'
import { type Signed, signedExport } from './signed-export.js'

interface Receipt {
  readonly day: string
  readonly cents: number
  readonly paid: string
}

interface Receipts extends Signed {
  readonly receipts: readonly Receipt[]
}

/** `29.02.2024` and `1.234,50`, as the platform writes them. */
function readReceipt([day = '', total = '', paid = '']: readonly string[]): Receipt {
  if (!/^\d{1,2}\.\d{1,2}\.\d{4}$/.test(day) || !/^\d{1,3}(\.\d{3})*,\d{2}$/.test(total)) {
    return refuse('MALFORMED_RECEIPT', 'rows')
  }
  return { day, cents: Number(total.replace(/[.,]/g, '')), paid }
}

/** Proof of contribution of a pool of receipts: the platform signed the CSV and the wallet of the account that it is of. */
export default definePoc<Receipts>({
  id: 'export-pools/receipts',
  version: '2.0.0',
  sources: [
    {
      kind: 'platform-signature',
      keys: [
        {
          name: 'receipts.example',
          algorithm: 'EdDSA',
          jwk: { kty: 'OKP', crv: 'Ed25519', x: '1UIH2hlJd9z0atv-wrwudbUtWopCGE_t_cAAJPDj6No' },
        },
      ],
    },
  ],
  input: (raw, { facts }) => {
    const signed = signedExport(raw, facts)
    const table = readCsv(signed.file)
    if (table === undefined || table.header.join() !== 'Datum,Summe,Zahlart') {
      return refuse('MALFORMED_EXPORT', 'header')
    }
    return { ...signed, receipts: table.rows.map(readReceipt) }
  },
  account: ({ account }) => ({ provider: 'receipts.example', account }),
  // To the cent: the shop's platform signed the totals, so nobody can nudge them, and people do pay much the same on one day.
  items: ({ receipts }) => receipts.map(({ day, cents, paid }) => ({ day, cents: inSteps(cents, 1), paid })),
  checks: {
    owner: ({ wallet }, { facts }) => ({
      passed: wallet === facts.owner,
      dimension: 'ownership',
      place: 'payload.wallet',
      refusal: 'WRONG_OWNER',
    }),
    enough: ({ receipts }) => ({
      passed: receipts.length >= 10,
      degree: Math.min(1, receipts.length / 10),
      place: 'rows',
    }),
    plausible: ({ receipts }) => {
      const sound = receipts.filter(({ cents }) => cents > 0 && cents <= 1_000_000).length
      return {
        passed: sound === receipts.length,
        degree: sound / Math.max(1, receipts.length),
        place: 'rows',
      }
    },
    // A shop's till gives many totals; one total over and over is a script's.
    varied: ({ receipts }) => ({
      passed: new Set(receipts.map(({ cents }) => cents)).size * 2 >= receipts.length,
      place: 'rows',
    }),
  },
  score: { authenticity: 3, ownership: 2, quality: 3 },
  // What the pool has already is worth nothing again, however authentic it is; what has less than a twentieth that is new is refused.
  factors: ['uniqueness'],
  minimumScore: 0.05,
  attributes: ({ receipts }) => ({ receipts: receipts.length }),
})
