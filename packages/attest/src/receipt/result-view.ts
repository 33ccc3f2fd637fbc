import { type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import {
  digestText,
  either,
  list,
  oneOf,
  type Reader,
  record,
  ShapeError,
  schema,
  text,
} from '../shape/shape.js'

/** Which part of a result a recipient gets; `receipt`: nothing else than the receipt, which everybody gets. */
export type ResultView =
  | { kind: 'whole' }
  | { kind: 'columns'; columns: string[] }
  | { kind: 'count' }
  | { kind: 'receipt' }

/** What of a committed view stands beside its digest. */
export interface CommittedView {
  readonly view: ResultView
  /** Of the view with its salt, so that nobody can try out what another one's may be. */
  readonly digest: Digest
}

/**
 * What a recipient opens: its view with the salt under which it was committed, and the digests of all views of the result. Their digest is the one that
 * stands on the chain, so that all recipients hold parts of one result.
 */
export type ResultViewDocument = {
  format: 'sealpool/result-view'
  version: 1
  view: ResultView
  /** Of the whole: what the salts of the other views follow from. */
  salt: Digest
  value: JsonValue
  views: { view: ResultView; digest: Digest }[]
}

const columnsView: Reader<ResultView> = /* @__PURE__ */ (() => {
  const read = /* @__PURE__ */ record<{ kind: 'columns'; columns: string[] }>({
    kind: /* @__PURE__ */ oneOf(['columns']),
    columns: /* @__PURE__ */ list(/* @__PURE__ */ text({ min: 1, max: 255 }), { min: 1, max: 100 }),
  })
  return (value: unknown, place: string) => {
    const view = read(value, place)
    if (new Set(view.columns).size !== view.columns.length)
      throw new ShapeError(`${place}.columns`, 'a column is listed twice')
    return view
  }
})()

/** Reads a view as manifests, receipts and opened results have it; an unknown kind is refused. */
export const resultView: Reader<ResultView> = /* @__PURE__ */ (() =>
  either<ResultView, ResultView>(
    columnsView,
    /* @__PURE__ */ record<{ kind: 'whole' | 'count' | 'receipt' }>({
      kind: /* @__PURE__ */ oneOf(['whole', 'count', 'receipt']),
    }) as Reader<ResultView>,
  ))()

const anyJson: Reader<JsonValue> = (value) => value as JsonValue

/** Schema of {@link ResultViewDocument}. */
export const resultViewDocumentSchema = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'result',
    'Not a view of a result',
    /* @__PURE__ */ record<ResultViewDocument>({
      format: /* @__PURE__ */ oneOf(['sealpool/result-view']),
      version: /* @__PURE__ */ oneOf([1]),
      view: resultView,
      salt: digestText,
      value: anyJson,
      views: /* @__PURE__ */ list(
        /* @__PURE__ */ record<ResultViewDocument['views'][number]>({ view: resultView, digest: digestText }),
        { min: 1, max: 17 },
      ),
    }),
  ))()

/** @returns whether two views show the same */
export function isSameView(one: ResultView, other: ResultView): boolean {
  return digestOf(one) === digestOf(other)
}
