import { WatchdogReport } from '../link/index.js';

/** One line of a watchdog; undefined for whatever else was written there. */
export function parseWatchdogReport(line: string): WatchdogReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = WatchdogReport.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
