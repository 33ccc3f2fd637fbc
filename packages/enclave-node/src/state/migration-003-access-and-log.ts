import type { Migration } from './migration.js'

/** Step 3: tokens that were revoked, and the order of the receipts in the public log. */
export const accessAndLog: Migration = {
  version: 3,
  title: 'revoked tokens, log of receipts',
  up: `
    create table revoked_tokens (
      id text primary key,
      -- Unix seconds from which on the token is worth nothing anyway.
      expires bigint not null
    );
    -- Append only: a receipt's place never changes.
    create table receipt_log (
      position bigint primary key,
      receipt text not null unique,
      job bigint not null,
      -- ISO time, from the receipt.
      issued text not null
    );
    insert into receipt_log (position, receipt, job, issued)
      select row_number() over (order by job, digest) - 1, digest, job,
        coalesce(receipt::jsonb #>> '{statement,body,issuedAt}', '1970-01-01T00:00:00.000Z')
      from receipts;
  `,
  down: `
    drop table receipt_log, revoked_tokens;
  `,
}
