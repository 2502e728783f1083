export { type ChannelReceiver, type ClientChannel, childChannel, connectSocket } from './client-channel.js';
export * from './commands.js';
export {
  ControlClient,
  type ControlTarget,
  type OperationVerb,
  type Outcome,
  type RequestOptions,
  type RunOptions,
} from './control-client.js';
export * from './control-failure.js';
export * from './envelope.js';
export * from './events.js';
export { decodeFrame, encodeFrame, FrameError, FrameReader, MAX_REPLY_BYTES, MAX_REQUEST_BYTES, plainCopy } from './framing.js';
export * from './replies.js';
export { claimSocketPath, findSocketPath, isErrno, prepareDirectory, statOf, surroundings } from './socket-directory.js';
export { clusterName, isPipe, refusePath, type SocketSurroundings, socketCandidates } from './socket-path.js';
