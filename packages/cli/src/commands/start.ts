import { type CliCommand, textOf } from './command.js';
export const start: CliCommand = {
  verb: 'start',
  aliases: [],
  positionals: '[file]',
  build: (p) => p,
  run: async ({ args }) => Number(textOf(args, 'x') ?? 0),
};
