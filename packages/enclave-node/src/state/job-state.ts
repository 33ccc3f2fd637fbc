/** Where a job stands inside the node. */
export type JobState =
  | 'seen'
  | 'waiting'
  | 'running'
  | 'charged'
  | 'released'
  | 'settled'
  | 'refusing'
  | 'refused'
  | 'closed'

/** One sentence for each state. */
export const jobStateText: Readonly<Record<JobState, string>> = {
  seen: 'proposed on the chain; it waits for the votes of its pools and for its consumer to pay',
  waiting: 'paid; it will be run next, or tried again at the time shown',
  running:
    'being planned or run; a restart begins it again, under the same charge once it has one, and ends a program that was charged',
  charged: 'budgets are charged and the sealed answer is stored; its release is on the way to the chain',
  released: 'the answer may be fetched; the payment is being settled',
  settled: 'done: released, paid and settled',
  refusing: 'refused with a signed receipt; the refund is on the way to the chain',
  refused: 'refused with a signed receipt',
  closed: 'cancelled or expired on the chain',
}

/** What a job is called whose proposal a reorganisation took off the chain, wherever it stood. */
export const detachedJobText =
  'its proposal is not on the chain any more; what was charged stays charged, and it goes on when the chain shows it again'

/** A number for each state, for programs: numbers stay when texts are worded anew, and a state that comes later gets one between. */
export const jobStateNumber: Readonly<Record<JobState | 'detached', number>> = {
  seen: 10,
  waiting: 20,
  running: 30,
  charged: 40,
  released: 50,
  settled: 60,
  refusing: 70,
  refused: 80,
  closed: 90,
  detached: 100,
}
