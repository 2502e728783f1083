export * from './commands.js';
export * from './control-failure.js';
export * from './envelope.js';
export * from './events.js';
export * from './replies.js';
