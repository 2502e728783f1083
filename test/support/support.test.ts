import { EventEmitter } from 'node:events';
import { descendants, pidAlive, start, startNode } from './process-harness.js';
import { freshPrefix } from './redis.js';
import { next, until } from './until.js';

describe('until', () => {
  test('returns the first truthy value', async () => {
    let calls = 0;
    expect(await until(() => (++calls === 3 ? 'third' : undefined), { what: 'the third call', everyMs: 1 })).toBe('third');
  });

  test('says what it waited for and what it last saw', async () => {
    await expect(until(() => 0, { what: 'a job', limitMs: 5, everyMs: 1 })).rejects.toThrow(
      'waited 5 ms for a job; the last look returned 0',
    );
    const look = (): never => {
      throw new Error('no such key');
    };
    await expect(until(look, { what: 'a job', limitMs: 5, everyMs: 1 })).rejects.toThrow('the last look threw: no such key');
  });
});

describe('next', () => {
  test('gives the arguments of the event', async () => {
    const emitter = new EventEmitter();
    const coming = next<[string, number]>(emitter, 'completed');
    emitter.emit('completed', 'job', 1);
    expect(await coming).toEqual(['job', 1]);
  });

  test('gives up with the name of the event, and its listener goes', async () => {
    const emitter = new EventEmitter();
    await expect(next(emitter, 'completed', 5)).rejects.toThrow("waited 5 ms for the event 'completed'");
    expect(emitter.listenerCount('completed')).toBe(0);
  });
});

describe('a started program', () => {
  test('is heard line by line, and its end is known', async () => {
    const program = startNode('-e', ["console.log('one'); console.error('two'); process.exitCode = 3"]);
    expect(await program.line(/^t/)).toBe('two');
    expect(await program.line('one')).toBe('one');
    expect(await program.exit()).toEqual({ code: 3, signal: null });
    await expect(program.line('three')).rejects.toThrow('the program ended without a line like three');
  });

  test('that does not exist fails with its name', async () => {
    await expect(start('/no/such/program', []).exit()).rejects.toThrow('cannot run /no/such/program');
  });

  test('ends with all it started, also what has left its group or lost its parent', async () => {
    const forever = 'setInterval(() => {}, 1000)';
    const orphaned = `require('child_process').spawn(process.execPath, ['-e', "console.log('orphan ' + process.pid); ${forever}"], { detached: true, stdio: 'inherit' })`;
    const middle = `${orphaned}.once('spawn', () => process.exit())`;
    const program = startNode('-e', [
      `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(middle)}], { stdio: 'inherit' }); ${forever}`,
    ]);
    const orphan = Number((await program.line('orphan')).split(' ')[1]);
    await until(() => !descendants(program.pid).includes(orphan), { what: 'the orphan to lose its parent' });
    expect(program.family()).toEqual(expect.arrayContaining([program.pid, orphan]));
    await program.killTree();
    expect([program.pid, orphan].map(pidAlive)).toEqual([false, false]);
  });
});

describe('clean-up at the end of a test', () => {
  let left: number;

  test('a program may be left running', async () => {
    const program = startNode('-e', ["console.log('up'); setInterval(() => {}, 1000)"]);
    await program.line('up');
    left = program.pid;
    expect(pidAlive(left)).toBe(true);
  });

  test('the next test finds it gone', () => {
    expect(pidAlive(left)).toBe(false);
  });
});

test('every prefix is fresh', () => {
  expect(freshPrefix()).not.toBe(freshPrefix());
});
