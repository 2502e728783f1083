export { type BackoffRule, backoffMs } from './backoff.js';
export {
  aFunction,
  anArray,
  anObject,
  type Check,
  checked,
  flag,
  MAX_TIMER_MS,
  type Shape,
  text,
  timerMs,
} from './check.js';
export { type Clock, ManualClock, systemClock, type Timer } from './clock.js';
export { CodedError, messageOf, toError } from './coded-error.js';
export { Deadline } from './deadline.js';
export { type Deferred, deferred } from './deferred.js';
export { type Lifecycle, Once } from './lifecycle.js';
export { jsonLogger, type LogFields, type Logger, type LogLevel, silentLogger } from './logger.js';
export { OncePrinter } from './once-printer.js';
export { didYouMean, durationMs, InvalidOptionError, integer, nonNegativeInt, parseInteger, positiveInt } from './parse.js';
export { refuseUnknown } from './refuse-unknown.js';
