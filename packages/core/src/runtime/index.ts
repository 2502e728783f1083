export type { Consumer } from './consumer.js';
