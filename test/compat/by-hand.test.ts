/** Jobs taken and ended by hand, with tokens of the caller: what one library added, the other takes, and refuses with the same words. */
import { type Either, expectSameInAllRoles, peerSides } from '../support/roles.js';
import { until } from '../support/until.js';

describe.each(peerSides)('$name', (peer) => {
  test('taken with a token, ended with it, and the next one comes along', async () => {
    await expectSameInAllRoles(peer, async ({ queue, worker, redis, key }) => {
      const hand = await worker(null);
      const names = ['done', 'next', 'failed', 'tried again', 'put off', 'put back'];
      await queue.addBulk(names.map((name) => ({ name, data: {}, opts: name === 'tried again' ? { attempts: 2, backoff: 60_000 } : {} })));
      const told: unknown[] = [];
      const take = async () => hand.getNextJob('mine');
      const first = await take();
      told.push([first.id, first.token, await redis.get(key(`${first.id}:lock`))]);
      const [, nextId] = await first.moveToCompleted({ ok: 1 }, 'mine');
      told.push(nextId, await redis.get(key(`${nextId}:lock`)));
      const second = await queue.getJob(nextId);
      told.push(await second.moveToCompleted('b', 'yours', false).catch((error: Either) => [error.message, error.code]));
      told.push(await second.extendLock('mine', 60_000));
      await second.moveToCompleted('b', 'mine', false);
      await (await take()).moveToFailed(new Error('no'), 'mine', false);
      await (await take()).moveToFailed(new Error('not yet'), 'mine', false);
      await (await take()).moveToDelayed(Date.now() + 60_000, 'mine');
      const back = await take();
      await back.moveToWait('mine');
      told.push((await queue.getDelayed()).length, (await queue.getWaiting()).length, await queue.getActiveCount());
      for (const job of await queue.getDelayed()) await job.promote();
      for (let left = 3; left > 0; left--) {
        const job = await until(() => hand.getNextJob('again', { block: false }) as Promise<Either>, {
          what: `job ${left} before the last`,
        });
        told.push([job.name, job.attemptsMade, job.attemptsStarted]);
        await job.moveToCompleted('at last', 'again', false);
      }
      told.push(await hand.getNextJob('none', { block: false }));
      return told.sort();
    });
  });

  test('refused with the same codes and words', async () => {
    await expectSameInAllRoles(peer, async ({ workers, worker, redis, key }) => {
      const hand = await worker(null, { skipStalledCheck: true });
      const moves: readonly (readonly [string, object, (job: Either, token: string) => Promise<unknown>])[] = [
        ['complete', {}, (job, token) => job.moveToCompleted(1, token, false)],
        ['fail', {}, (job, token) => job.moveToFailed(new Error('no'), token, false)],
        ['try again', { attempts: 2 }, (job, token) => job.moveToFailed(new Error('no'), token, false)],
        ['try later', { attempts: 2, backoff: 60_000 }, (job, token) => job.moveToFailed(new Error('no'), token, false)],
        ['delay', {}, (job, token) => job.moveToDelayed(Date.now() + 60_000, token)],
        ['wait', {}, (job, token) => job.moveToWait(token)],
        ['wait for children', {}, (job, token) => job.moveToWaitingChildren(token)],
      ];
      const told: unknown[] = [];
      for (const [what, opts, move] of moves) {
        await workers.add(what, {}, opts);
        const job = await hand.getNextJob('mine', { block: false });
        const refusal = async (token: string) => move(job, token).catch(({ message, code }: Either) => [what, message, code]);
        if (what === 'wait for children') await redis.sadd(key(`${job.id}:dependencies`), 'a child');
        told.push(await refusal('yours'));
        await redis.del(key(`${job.id}:lock`));
        told.push(await refusal('mine'));
        await redis.lrem(key('active'), 0, job.id);
        await redis.del(key(job.id), key(`${job.id}:dependencies`));
        told.push(await refusal('mine'));
      }
      return told;
    });
  });
});
