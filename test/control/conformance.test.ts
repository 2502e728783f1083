/** One suite, run over every transport: the same commands have the same replies and the same errors, whatever way they come. */
import { type ControlClient, ControlFailure, type EventEnvelope, type Progress, VERBS } from '@drover/cluster/protocol';
import { until } from '../support/until.js';
import { type Reached, request, Tap, TRANSPORTS } from './support.js';

async function failureOf(promise: Promise<unknown>): Promise<ControlFailure> {
  const thrown = await promise.then(
    (value) => new Error(`it succeeded with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof ControlFailure) return thrown;
  throw thrown;
}

describe.each(Object.entries(TRANSPORTS))('acceptance 24: %s', (transport, reach) => {
  let reached: Reached;
  let client: ControlClient;
  let tap: Tap;

  beforeAll(async () => {
    reached = await reach({ FIXTURE_GROUPS: 'mail' });
  });
  beforeEach(async () => {
    client = await reached.client();
    tap = new Tap(await reached.open());
    await client.run({ type: 'scale_to', count: 2 });
  });

  describe('verbs', () => {
    test('scale_up, scale_down and scale_to answer with what was asked, applied and desired', async () => {
      expect(await client.request({ type: 'scale_up' })).toMatchObject({ group: 'mail', requested: 1, applied: 1, desired: 3 });
      expect(await client.request({ type: 'scale_up', group: 'mail', count: 4 })).toMatchObject({ requested: 4, applied: 4, desired: 7 });
      expect(await client.request({ type: 'scale_down' })).toMatchObject({ requested: 1, applied: 1, desired: 6 });
      expect(await client.request({ type: 'scale_to', count: 5 })).toMatchObject({ requested: 5, applied: 5, desired: 5 });
      expect((await client.request({ type: 'worker_count' })).count).toBe(5);
    });

    test('what is clamped is said', async () => {
      expect(await client.request({ type: 'scale_down', count: 10 })).toMatchObject({
        requested: 10,
        applied: 2,
        desired: 0,
        reason: 'at_min',
      });
      expect(await client.request({ type: 'scale_to', count: 1_000 })).toMatchObject({ applied: 100, desired: 100, reason: 'at_max' });
    });

    test('worker_count, status, list and ping read', async () => {
      const workers = { desired: 2, running: 2, starting: 0, draining: 0, parked: 0 };
      expect(await client.request({ type: 'worker_count' })).toEqual({ count: 2, workers, groups: { mail: workers } });
      const status = await client.request({ type: 'status' });
      expect(status).toMatchObject({ state: 'running', groups: [{ group: 'mail', workers }], processes: [{ slot: 0, state: 'ready' }] });
      expect(await client.request({ type: 'ping' })).toMatchObject({ protocols: [1], pid: expect.any(Number) });
      const first = await client.request({ type: 'list', what: 'workers', limit: 1 });
      expect(first).toMatchObject({ items: [{ worker: 'mail#001' }], next: 'mail#001' });
      const second = await client.request({ type: 'list', what: 'workers', limit: 1, after: 'mail#001' });
      expect(second.items).toMatchObject([{ worker: 'mail#002' }]);
      expect(second.next).toBeUndefined();
    });

    test('show restarts has the exits of each slot, or of one', async () => {
      const { document } = await client.request({ type: 'show', what: 'restarts' });
      expect(document).toMatchObject({ slots: [{ slot: 0, exits: [{ class: 'abnormal', cause: 'hang' }] }] });
      expect((await client.request({ type: 'show', what: 'restarts', slot: 0 })).document).toEqual(document);
      expect((await failureOf(client.request({ type: 'show', what: 'restarts', slot: 9 }))).code).toBe('NOT_FOUND');
    });

    test('operation tells how one goes, and waits for its end when asked to', async () => {
      const { opId } = await client.request({ type: 'scale_up' });
      expect(await client.request({ type: 'operation', opId, wait: true })).toMatchObject({
        opId,
        verb: 'scale_up',
        state: 'done',
        done: 3,
      });
      expect(await client.request({ type: 'operation', opId })).toMatchObject({ state: 'done', result: { desired: 3 } });
    });

    test('reload, restart and recycle are operations that tell what was replaced', async () => {
      expect((await client.run({ type: 'reload', canary: 1 })).result).toMatchObject({ replaced: [0], generation: 2 });
      expect((await client.run({ type: 'restart', slot: 0 })).result).toMatchObject({ replaced: [0] });
      expect((await client.run({ type: 'recycle' })).result).toMatchObject({ replaced: [0] });
      expect(await failureOf(client.request({ type: 'restart', slot: 7 }))).toMatchObject({ code: 'NOT_FOUND' });
    });

    test('a repeat with the same key gets the first reply and changes nothing', async () => {
      const key = `${transport}-key`;
      const first = await client.request({ type: 'scale_up', count: 2 }, { key });
      expect(await client.request({ type: 'scale_up', count: 2 }, { key })).toEqual(first);
      expect((await client.request({ type: 'worker_count' })).count).toBe(4);
    });
  });

  describe('operations', () => {
    test('run resolves with reply and result when the operation has ended, and reports each step in order', async () => {
      const steps: Progress[] = [];
      const { reply, result } = await client.run({ type: 'scale_up', count: 3 }, { progress: (step) => steps.push(step) });
      expect(reply).toMatchObject({ applied: 3, desired: 5 });
      expect(result).toMatchObject({ opId: reply.opId, desired: 5 });
      expect(steps.map(({ seq, state }) => [seq, state])).toEqual([
        [1, 'running'],
        [2, 'running'],
        [3, 'done'],
      ]);
    });

    test('run of an operation that has ended resolves at once', async () => {
      const { reply } = await client.run({ type: 'scale_up' });
      const { result } = await client.run({ type: 'operation', opId: reply.opId });
      expect(result).toMatchObject({ opId: reply.opId });
    });

    test('run rejects with the error of an operation that failed', async () => {
      expect(await failureOf(client.run({ type: 'scale_to', group: 'broken', count: 1 }))).toMatchObject({ code: 'GAVE_UP' });
    });

    test('run gives up at its time limit and names the operation, which goes on', async () => {
      const failure = await failureOf(client.run({ type: 'scale_up', group: 'slow' }, { timeoutMs: 50 }));
      const opId = failure.details?.opId as string;
      expect(failure.code).toBe('DEADLINE');
      expect(await client.request({ type: 'operation', opId })).toMatchObject({ state: 'running' });
    });

    test('progress comes only to who asked for it, after the reply', async () => {
      tap.send(request('quiet', { type: 'scale_up' }));
      tap.send(request('loud', { type: 'scale_up' }, { progress: true }));
      const { result } = await tap.find(({ rid }) => rid === 'loud');
      await tap.find(({ kind, state }) => kind === 'prog' && state === 'done');
      const kinds = tap.received.filter(({ rid, opId }) => rid === 'loud' || opId === result?.opId).map(({ kind }) => kind);
      expect(kinds).toEqual(['res', 'prog', 'prog', 'prog']);
      const { result: quiet } = await tap.find(({ rid }) => rid === 'quiet');
      expect(tap.received.filter(({ opId }) => opId === quiet?.opId)).toEqual([]);
    });
  });

  describe('refusals', () => {
    test.each([
      'BAD_REQUEST',
      'UNAUTHORIZED',
      'FORBIDDEN',
      'NOT_FOUND',
      'BUSY',
      'CONFLICT',
      'OUT_OF_RANGE',
      'DRAINING',
      'GAVE_UP',
    ] as const)('%s of an operation reaches the client as it is', async (code) => {
      const failure = await failureOf(client.request({ type: 'scale_up', group: `fail:${code}` }));
      expect(failure).toMatchObject({ code, message: `refused with ${code}`, details: { group: `fail:${code}` } });
    });

    test('INTERNAL says which verb failed and nothing of our insides', async () => {
      const failure = await failureOf(client.request({ type: 'scale_up', group: 'bug' }));
      expect(failure.code).toBe('INTERNAL');
      expect(failure.message).toContain('scale_up');
      expect(failure.message).not.toContain('secret');
    });

    test('a reply that fits no message becomes INTERNAL', async () => {
      const failure = await failureOf(client.request({ type: 'scale_up', group: 'huge' }));
      expect(failure.code).toBe('INTERNAL');
      expect(failure.message).toContain('at most 1048576');
    });

    test('DEADLINE comes from the primary when an answer takes too long', async () => {
      const { opId } = await client.request({ type: 'scale_up', group: 'slow' });
      const reply = await tap.ask(request('late', { type: 'operation', opId, wait: true }, { deadlineMs: 30 }));
      expect(reply.error).toMatchObject({ code: 'DEADLINE', retryable: true, message: 'operation was not answered within 30 ms' });
    });

    test('the 33rd open request of a client is BUSY, and the others are answered', async () => {
      const { opId } = await client.request({ type: 'scale_up', group: 'slow' });
      for (let i = 0; i < 33; i++) tap.send(request(`r${i}`, { type: 'operation', opId, wait: true }, { deadlineMs: 400 }));
      // A parent has one channel: what others asked for passes here, too.
      const answers = () => tap.received.filter(({ rid }) => rid !== undefined && /^r\d+$/.test(rid));
      await until(() => answers().length === 33, { what: '33 answers' });
      const codes = new Map(answers().map(({ rid, error }) => [rid, error?.code]));
      expect(codes.get('r32')).toBe('BUSY');
      expect([...codes.values()].filter((code) => code === 'DEADLINE')).toHaveLength(32);
    });

    test('what is too long to send is refused before it leaves', async () => {
      const command = { type: 'operation', opId: 'x'.repeat(70_000) } as const;
      await expect(client.request(command)).rejects.toThrow('at most 65536');
    });

    const row = (name: string, message: Record<string, unknown>, code: string, text: string) => ({ name, message, code, text });
    test.each([
      row(
        'another version',
        { ...request('1', { type: 'ping' }), v: 2 },
        'UNSUPPORTED_VERSION',
        'v: protocol version 2 is not spoken here; supported: 1',
      ),
      row('no version', { ...request('1', { type: 'ping' }), v: null }, 'UNSUPPORTED_VERSION', 'protocol version null'),
      row(
        'no rid',
        { v: 1, kind: 'req', command: { type: 'ping' } },
        'BAD_REQUEST',
        'rid: must be a text of 1 to 128 characters, got undefined',
      ),
      row('a rid that is a number', { ...request('', { type: 'ping' }), rid: 7 }, 'BAD_REQUEST', 'got 7'),
      row('no command', { v: 1, kind: 'req', rid: '1' }, 'BAD_REQUEST', 'command: must be an object with a type, got undefined'),
      row('a list as command', { v: 1, kind: 'req', rid: '1', command: [] }, 'BAD_REQUEST', 'got a list'),
      row('no verb', request('1', {}), 'BAD_REQUEST', 'command.type: must be the name of a verb, got undefined'),
      row('an unknown verb', request('1', { type: 'scale_upp' }), 'UNKNOWN_VERB', 'unknown verb "scale_upp"; did you mean "scale_up"?'),
      row('a verb from nowhere', request('1', { type: 'constructor' }), 'UNKNOWN_VERB', `(verbs: ${VERBS.join(', ')})`),
      row('a negative count', request('1', { type: 'scale_to', count: -3 }), 'OUT_OF_RANGE', 'command.count:'),
      row('a count beyond all reason', request('1', { type: 'scale_to', count: 1e9 }), 'OUT_OF_RANGE', 'got 1000000000'),
      row('a fraction', request('1', { type: 'scale_to', count: 1.5 }), 'BAD_REQUEST', 'got 1.5'),
      row(
        'a text as count',
        request('1', { type: 'scale_to', count: 'abc' }),
        'BAD_REQUEST',
        'command.count: invalid input: expected number',
      ),
      row('no count', request('1', { type: 'scale_to' }), 'BAD_REQUEST', 'command.count'),
      row('an unknown victim', request('1', { type: 'scale_down', victim: 'best' }), 'BAD_REQUEST', 'got "best"'),
      row('an unknown mode', request('1', { type: 'stop', mode: 'later' }), 'BAD_REQUEST', 'command.mode'),
      row('an unknown topic', request('1', { type: 'subscribe', topics: ['nope.*'] }), 'BAD_REQUEST', 'unknown topic "nope.*"'),
      row('nothing to show', request('1', { type: 'show', what: 'pictures' }), 'BAD_REQUEST', 'command.what'),
      row('no topics', request('1', { type: 'subscribe', topics: [] }), 'BAD_REQUEST', 'command.topics'),
      row('a target', request('1', { type: 'ping' }, { target: { all: true } }), 'BAD_REQUEST', 'target:'),
      row('a deadline of nothing', request('1', { type: 'ping' }, { deadlineMs: 0 }), 'OUT_OF_RANGE', 'deadlineMs'),
      row('an unknown operation', request('1', { type: 'operation', opId: 'op-0' }), 'NOT_FOUND', 'no operation "op-0"'),
    ])('$name is $code', async ({ message, code, text }) => {
      const { ok, error } = await tap.ask(message);
      expect({ ok, code: error?.code, message: error?.message }).toEqual({ ok: false, code, message: expect.stringContaining(text) });
      expect(await client.request({ type: 'ping' })).toMatchObject({ protocols: [1] });
    });

    test('unknown fields are ignored', async () => {
      const reply = await tap.ask(request('1', { type: 'ping', colour: 'red' }, { mood: 'good' }));
      expect(reply.ok).toBe(true);
    });

    test('keys that reach a prototype do nothing', async () => {
      const message = JSON.parse(
        '{"v":1,"kind":"req","rid":"1","command":{"type":"ping","__proto__":{"polluted":1}},"__proto__":{"polluted":1}}',
      );
      expect(await tap.ask(message)).toMatchObject({ ok: true });
      expect((await client.request({ type: 'ping' })) as object).not.toHaveProperty('polluted');
    });
  });

  describe('events', () => {
    test('a subscriber gets what its patterns cover, numbered without a gap', async () => {
      const ofScale: EventEnvelope[] = [];
      const ofAll: EventEnvelope[] = [];
      await client.on('scale', (event) => ofScale.push(event));
      await client.on('*', (event) => ofAll.push(event));
      await client.run({ type: 'scale_up' });
      await client.run({ type: 'scale_up' });
      await until(() => ofAll.filter(({ topic }) => topic === 'op').length === 2, { what: 'both operations to end' });
      expect(ofScale.map(({ topic, data }) => [topic, data.desired])).toEqual([
        ['scale', 3],
        ['scale', 4],
      ]);
      const first = ofAll[0]?.seq ?? 0;
      expect(ofAll.map(({ seq }) => seq)).toEqual(ofAll.map((_, i) => first + i));
    });

    test('each event comes once, however often it was subscribed to', async () => {
      const heard: EventEnvelope[] = [];
      await client.on('scale', (event) => heard.push(event));
      await client.request({ type: 'subscribe', topics: ['scale', '*'] });
      await client.run({ type: 'scale_up' });
      await client.run({ type: 'scale_up' });
      expect(heard).toHaveLength(2);
    });

    test('a listener that was taken off hears nothing more', async () => {
      const heard: EventEnvelope[] = [];
      const off = await client.on('scale', (event) => heard.push(event));
      await client.run({ type: 'scale_up' });
      off();
      await client.run({ type: 'scale_up' });
      expect(heard).toHaveLength(1);
    });

    test('write verbs are audited with who, what and the result; read verbs are not', async () => {
      const audit: EventEnvelope[] = [];
      await client.on('audit', (event) => audit.push(event));
      const { opId } = await client.request({ type: 'scale_up', count: 2 });
      await client.request({ type: 'status' });
      await failureOf(client.request({ type: 'scale_up', group: 'fail:BUSY' }));
      await until(() => audit.length >= 2, { what: 'two audit events' });
      expect(audit.map(({ data }) => [data.command, data.result, data.opId])).toEqual([
        [{ type: 'scale_up', count: 2 }, 'ok', opId],
        [{ type: 'scale_up', group: 'fail:BUSY' }, 'BUSY', undefined],
      ]);
      expect(audit[0]?.data.peer).toMatch(/^(unix#\d+|parent|embedded)$/);
    });

    test('an unknown topic is refused and nothing stays behind', async () => {
      expect((await failureOf(client.on('nope', () => {}))).code).toBe('BAD_REQUEST');
    });
  });

  test('many requests at once are answered each with its own reply', async () => {
    const asked = Array.from({ length: 30 }, (_, i) => client.request(i % 2 ? { type: 'ping' } : { type: 'worker_count' }));
    const replies = await Promise.all(asked);
    expect(replies.map((reply) => 'count' in reply)).toEqual(replies.map((_, i) => i % 2 === 0));
  });

  test('after close, whatever was open and whatever comes is PEER_GONE', async () => {
    const { opId } = await client.request({ type: 'scale_up', group: 'slow' });
    const open = failureOf(client.request({ type: 'operation', opId, wait: true }));
    client.close();
    expect((await open).code).toBe('PEER_GONE');
    expect((await failureOf(client.request({ type: 'ping' }))).code).toBe('PEER_GONE');
    expect((await client.closed).code).toBe('PEER_GONE');
  });
});

describe.each(Object.entries(TRANSPORTS))('%s, from start to end', (_, reach) => {
  test('ready resolves once the primary works, whether it was already or not', async () => {
    const reached = await reach({ FIXTURE_BOOT: 'held' });
    const client = await reached.client();
    let isReady = false;
    const ready = client.ready().then(() => {
      isReady = true;
    });
    expect((await client.request({ type: 'status' })).state).toBe('starting');
    expect(isReady).toBe(false);
    await client.request({ type: 'worker_count' }); // makes the fixture ready
    await ready;
    await (await reached.client()).ready();
  });

  test('ready gives up at its deadline', async () => {
    const client = await (await reach({ FIXTURE_BOOT: 'held' })).client();
    expect((await failureOf(client.ready({ deadlineMs: 100 }))).code).toBe('DEADLINE');
  });

  test('with several groups a scale verb has to name one, and worker_count is the total', async () => {
    const client = await (await reach({ FIXTURE_GROUPS: 'mail,video' })).client();
    const failure = await failureOf(client.request({ type: 'scale_up' }));
    expect(failure).toMatchObject({ code: 'BAD_REQUEST', message: 'group: name one of mail, video' });
    expect(await client.request({ type: 'scale_up', group: 'video' })).toMatchObject({ group: 'video', desired: 3 });
    expect((await client.request({ type: 'worker_count' })).count).toBe(5);
    expect((await client.request({ type: 'worker_count', group: 'mail' })).count).toBe(2);
  });

  test('when the primary vanishes, every open request and operation ends PEER_GONE', async () => {
    const reached = await reach();
    const client = await reached.client();
    const { opId } = await client.request({ type: 'scale_up', group: 'slow' });
    const waiting = failureOf(client.request({ type: 'operation', opId, wait: true }));
    const running = new Promise<ControlFailure>((resolve) => {
      const accepted = () => reached.vanish();
      void failureOf(client.run({ type: 'scale_up', group: 'slow' }, { accepted })).then(resolve);
    });
    expect((await waiting).code).toBe('PEER_GONE');
    expect(await running).toMatchObject({ code: 'PEER_GONE', details: { opId: expect.any(String) } });
    expect((await failureOf(client.request({ type: 'ping' }))).code).toBe('PEER_GONE');
  });

  test('an operation that is followed twice is reported once, and a stop ends it', async () => {
    const tap = new Tap(await (await reach()).open());
    const { result } = await tap.ask(request('1', { type: 'scale_up', group: 'slow' }, { progress: true }));
    await tap.ask(request('2', { type: 'operation', opId: result?.opId }, { progress: true }));
    await tap.ask(request('3', { type: 'stop' }, { progress: true }));
    await tap.find(({ kind, state }) => kind === 'prog' && state === 'done');
    const ends = tap.received.filter(({ opId, state }) => opId === result?.opId && state === 'failed');
    expect(ends).toMatchObject([{ error: { code: 'DRAINING' } }]);
  });

  test('stop is reported to its end', async () => {
    const client = await (await reach()).client();
    const { result } = await client.run({ type: 'stop', mode: 'fast', drainMs: 1_000 });
    expect(result).toMatchObject({ exitCode: 0, drained: { finished: 3 } });
  });
});
