/**
 * SQL over pooled private data, planned under differential privacy.
 *
 * @module
 */
export { type Answered, type AnswerOptions, answerer, chargesOf } from './answer/answer-query.js'
export { type AnswerStore, createMemoryAnswers, type StoredAnswer } from './answer/answer-store.js'
export { openStoredAnswers, type StoredAnswers } from './answer/stored-answers.js'
export type { BoundOrder, BoundStage } from './bind/bind.js'
export type { ParameterValue } from './bind/environment.js'
export type { PublicValue } from './bind/key.js'
export type { Released, ReleasedCondition } from './bind/released.js'
export { contributorColumn, type PlanPool, type PublicTable, rankColumn } from './catalogue/catalogue.js'
export type { JobBudget } from './enforce/budget.js'
export type { Grant } from './enforce/grant.js'
export type { Cell, EngineColumn, Expectation, Row, SqlEngine, TableLoad } from './engine/engine.js'
export { QueryError, type QueryErrorCode, queryErrorCodes, type Span } from './errors.js'
export { type CellInterval, executePlan, type QueryResult } from './execute/execute-plan.js'
export {
  executeShares,
  type PlanShare,
  requireDivisible,
  requireShare,
  shareOfPlan,
} from './execute/share.js'
export { type Explanation, explainPlan } from './explain/explain-plan.js'
export { openSqlGrammar, type SqlGrammar, SqlSyntaxError } from './parse/sql-grammar.js'
export { checkPlan, type PlanToday } from './plan/check-plan.js'
export {
  type ColumnKind,
  type ExpectedError,
  type Mechanism,
  type PlanCharge,
  type QueryPlan,
  type RationalText,
  type ReleasePlan,
  releasesOf,
  type StatisticPlan,
} from './plan/plan.js'
export { planDigest, templateDigest } from './plan/plan-digest.js'
export { type ContributionBounds, type PlanQueryOptions, planQuery } from './plan/plan-query.js'
export type { Bounding, KeyProgram, Program, Source, StatisticProgram } from './plan/program.js'
export type { AggregatePlan } from './plan/statistics.js'
export { type PolicyPreset, type PresetName, policyPreset, presetNames } from './preset/policy-preset.js'
export { printClickHouse } from './print/clickhouse.js'
export { printDuckDb } from './print/duckdb.js'
export { printPostgreSql } from './print/postgresql.js'
export type { Part, PrintedStatement } from './print/statement.js'
export {
  type AttackEvidence,
  presetDigest,
  type RedTeamEvidence,
  redTeamEvidence,
} from './redteam/evidence.js'
export { type Finding, plotReports, type RedTeamReport, redTeam } from './redteam/red-team.js'
export type { Condition, NumberExpression, TextExpression } from './type/expression.js'
export type { Block, FromItem, Relation, ValueExpression } from './type/relation.js'
