export { AddGatherer, type AddSink } from './add-gatherer.js';
export { AdminStore } from './admin-store.js';
export { ConsumerStore } from './consumer-store.js';
export type { ExchangeCall, ExchangeReply, ExchangeStore, FetchProfile, HeldLockRef } from './exchange.js';
export { InspectStore, type QueueCounts, type QueueMeta, type QueueMetrics, type RangeState } from './inspect-store.js';
export { JobStore } from './job-store.js';
export { type AddCall, ProducerStore } from './producer-store.js';
export { OutcomeStatus } from './replies.js';
