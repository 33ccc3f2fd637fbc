/** SQL that is true where a row of `contributions` is of the policy that its pool's tables are made under. */
export const isOfPolicy =
  'not exists (select 1 from earlier_policies where earlier_policies.contribution = contributions.id)'
