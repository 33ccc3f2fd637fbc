import { expect, test } from 'vitest'
import { indexedDbJournal } from './indexed-db-journal.js'

test('where there is no IndexedDB every call of its journal says so', async () => {
  const journal = indexedDbJournal()
  for (const call of [
    journal.get('a'),
    journal.set('a', 'b'),
    journal.setIfAbsent('a', 'b'),
    journal.delete('a'),
  ]) {
    await expect(call).rejects.toMatchObject({ name: 'InvalidStateError' })
  }
})
