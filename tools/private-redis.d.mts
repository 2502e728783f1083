/** What `startPrivateRedis` may be told. */
export interface PrivateRedisOptions {
  /** Data directory to use and keep; by default a new temporary one that is removed at the end. */
  readonly dir?: string;
  /** Default true: what is written survives `kill` and `restart`. */
  readonly appendonly?: boolean;
  /** More arguments for the server, as on its command line. */
  readonly args?: readonly string[];
  /** Start a server even when `REDIS_URL` is set: for callers that end or freeze it. */
  readonly own?: boolean;
  /** Told, one line a call, when something takes long: an installation. */
  readonly log?: (line: string) => void;
}

/** A running server. Whoever started it stops it; the exit of the process, of whatever kind, does so too. */
export interface PrivateRedis {
  readonly url: string;
  /** Of the running server; undefined after `kill`, and for the server of `REDIS_URL`. */
  readonly pid: number | undefined;
  /** Ends it for good and removes its directory; does nothing to the server of `REDIS_URL`. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Brings it back on the same port and data. */
  restart(): Promise<void>;
}

/** No usable Redis; the message is one line that says what to do. */
export class RedisUnavailableError extends Error {
  readonly exitCode: 69;
}

/** Starts a server on a free loopback port, or hands out the one of `REDIS_URL`. */
export function startPrivateRedis(options?: PrivateRedisOptions): Promise<PrivateRedis>;
