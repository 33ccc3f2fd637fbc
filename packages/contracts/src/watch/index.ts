export {
  type Follower,
  type FollowOptions,
  followEvents,
  type PlacedEvent,
  type Step,
} from './follow-events.js'
export * from './watch.js'
