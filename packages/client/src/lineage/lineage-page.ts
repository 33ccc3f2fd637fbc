import type { Address, Digest, JsonObject } from '@sealpool/crypto'
import {
  type AnswerSchema,
  address,
  answerSchema,
  digest,
  flag,
  jsonObject,
  list,
  nullable,
  record,
  text,
} from '../node-api/shape.js'

/** A contribution that a job has read. */
export type LineageContribution = {
  contribution: string
  blob: Digest
  commitment: Digest
  verdict: Digest
  block: string
  judgedBlock: string | null
}

/** A refinement that a job has read. */
export type LineageRefinement = {
  pool: Address
  statement: JsonObject | null
  block: string | null
  contributions: LineageContribution[]
}

/** `GET /v1/jobs/:id/lineage`: what a job was made of, a page at a time. */
export type LineagePage = {
  simulated: boolean
  job: string
  refinements: LineageRefinement[]
  next: string | null
}

const block = /* @__PURE__ */ text(/^(0|[1-9]\d{0,14})$/, 'a block number')

/** Schema of {@link LineagePage}. */
export const lineagePageSchema: AnswerSchema<LineagePage> = /* @__PURE__ */ (() =>
  answerSchema(
    record<LineagePage>({
      simulated: flag,
      job: text(),
      refinements: list(
        record<LineageRefinement>({
          pool: address,
          statement: nullable(jsonObject),
          block: nullable(block),
          contributions: list(
            record<LineageContribution>({
              contribution: text(/^(0|[1-9]\d{0,76})$/, 'the number of a contribution'),
              blob: digest,
              commitment: digest,
              verdict: digest,
              block,
              judgedBlock: nullable(block),
            }),
          ),
        }),
      ),
      next: nullable(text(/^[1-9]\d{0,14}$/, 'the number of a page')),
    }),
  ))()

/** `GET /v1/jobs/:id/work`: what other nodes have signed that ran the job, or a part of it; checked whole by attest's `walkBack`. */
export const jobWorkSchema: AnswerSchema<{ work: JsonObject | null; works: JsonObject[] }> =
  /* @__PURE__ */ (() =>
    answerSchema(
      record<{ work: JsonObject | null; works: JsonObject[] }>({
        work: (value = null, place) => nullable(jsonObject)(value, place),
        works: (value = [], place) => list(jsonObject)(value, place),
      }),
    ))()
