import { ControlFailure, ROLE_OF_VERB, type Verb } from '../protocol/index.js';

/** The way a command came in. The mode of the socket, or being the parent, is the authentication. */
export type Source = 'unix' | 'parent' | 'embedded';

/** Who asks, as far as its transport can vouch for it. */
export interface Identity {
  readonly source: Source;
  readonly role: 'read' | 'write';
}

/** Why this one may not do that, else undefined. */
export function refuseAccess(identity: Identity, verb: Verb): ControlFailure | undefined {
  if (ROLE_OF_VERB[verb] === 'read' || identity.role === 'write') return undefined;
  return new ControlFailure('FORBIDDEN', `${verb} changes the cluster; this client (${identity.source}) may only read`);
}
