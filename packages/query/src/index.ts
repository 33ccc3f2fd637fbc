/**
 * SQL over pooled private data, planned under differential privacy.
 *
 * @module
 */
export type { BoundOrder } from './bind/bind.js'
export type { PublicValue } from './bind/key.js'
export type { Released, ReleasedCondition } from './bind/released.js'
export type { ParameterValue } from './bind/environment.js'
export { contributorColumn, type PlanPool, rankColumn } from './catalogue/catalogue.js'
export type { JobBudget } from './enforce/budget.js'
export type { Grant } from './enforce/grant.js'
export type { Cell, EngineColumn, Expectation, Row, SqlEngine, TableLoad } from './engine/engine.js'
export { QueryError, type QueryErrorCode, queryErrorCodes, type Span } from './errors.js'
export { type CellInterval, executePlan, type QueryResult } from './execute/execute-plan.js'
export { type Explanation, explainPlan } from './explain/explain-plan.js'
export { checkPlan } from './plan/check-plan.js'
export type { ExpectedError, PlanCharge, QueryPlan, RationalText, StatisticPlan } from './plan/plan.js'
export { type PlanQueryOptions, planQuery } from './plan/plan-query.js'
export type { KeyProgram, Program, Source, StatisticProgram } from './plan/program.js'
export type { AggregatePlan } from './plan/statistics.js'
export { type PrintedStatement, printDuckDb } from './print/duckdb.js'
export type { Condition, NumberExpression, TextExpression } from './type/expression.js'
