/** Minutes, for the option `metrics.maxDataPoints`: how long counts per minute are kept. */
export const MetricsTime = Object.freeze({
  ONE_MINUTE: 1,
  FIVE_MINUTES: 5,
  FIFTEEN_MINUTES: 15,
  THIRTY_MINUTES: 30,
  ONE_HOUR: 60,
  ONE_WEEK: 10_080,
  TWO_WEEKS: 20_160,
  ONE_MONTH: 80_640,
} as const);
export type MetricsTime = (typeof MetricsTime)[keyof typeof MetricsTime];
