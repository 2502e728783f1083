import type { Lifecycle } from '@drover/core/kit';
import type { ControlFailure } from '../protocol/index.js';
import type { Identity } from './access.js';

/** One client as its transport knows it: who it is, and where bytes for it go. */
export interface Peer {
  readonly identity: Identity;
  /** For the audit, e.g. `unix#7`. */
  readonly id: string;
  /** Frames handed over that the other side has not taken yet. */
  readonly backlog: number;
  /** Hands over one frame (a line of JSON). Never throws, never waits; a peer that has gone loses it. */
  send(frame: string): void;
  /** Says goodbye to a client that does not take what it is sent. */
  drop(reason: string): void;
}

/** What the control plane keeps for one peer, from its arrival until `close`. */
export interface Session {
  /** Takes one message as it arrived, whatever it is: a request gets exactly one reply. */
  receive(raw: unknown): void;
  /** Answers bytes that are no message. */
  refuse(failure: ControlFailure): void;
  /** Nothing of this peer is under way and it follows nothing: it can be sent away without loss. */
  readonly isIdle: boolean;
  /** The peer has gone: its requests end, its subscriptions are forgotten; operations go on. */
  close(): void;
}

/** Where transports bring their peers; the dispatcher. `topics` are subscribed to from the start. */
export interface SessionHost {
  open(peer: Peer, topics?: readonly string[]): Session;
}

/** A way in for commands. It knows bytes and identity, never verbs. `stop` lets what was handed over reach its reader, up to the deadline. */
export type Transport = Lifecycle;

/** Frames that may wait for a reader; with more it is dropped, so that it never slows the primary. */
export const MAX_BACKLOG = 1_000;
