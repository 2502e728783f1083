export { type IpcEndpoint, IpcPort } from './ipc-port.js';
export {
  type Fact,
  type HostHandlers,
  HostLink,
  type Init,
  type LinkRequest,
  type LinkResult,
  type NewFact,
  type NewLinkRequest,
  PrimaryLink,
} from './link.js';
export * from './messages.js';
export { type Port, PortClosedError } from './port.js';
