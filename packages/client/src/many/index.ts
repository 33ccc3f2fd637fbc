/**
 * Many contributions of one owner, some in each transaction.
 *
 * @module
 */
export {
  contributeMany,
  type ManyContributed,
  type ManyItem,
  type ManyOptions,
  type ManyOutcome,
  type ManyProgress,
  type ManyTask,
} from './contribute-many.js'
