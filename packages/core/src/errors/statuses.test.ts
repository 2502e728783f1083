import { readdirSync, readFileSync } from 'node:fs';
import { controlFlowOf, ErrorCode, errorFromStatus, type JobStatusError } from './index.js';

/** Every status that lua/README.md lists, and every one that a script mentions as what it returns. */
const LISTED = [...readFileSync(new URL('../../../../lua/README.md', import.meta.url), 'utf8').matchAll(/\| +(-?\d+) +\| (?=[^|]*[a-z])/g)]
  .map(([, code]) => Number(code))
  .sort((a, b) => a - b);
const FAMILY_TOO_LARGE = -12;
/** Never leaves the store, which tries the slot after it. */
const SLOT_TAKEN = -13;

test('the list of statuses is read', () => {
  expect(LISTED).toEqual([-13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2]);
});

test.each(LISTED.filter((code) => code < 0 && code !== SLOT_TAKEN))(
  'status %i is a typed error with that code and a message of its own',
  (code) => {
    const error = errorFromStatus(code, { jobId: '7', command: 'cmd' });
    expect(error).toMatchObject({ code, jobId: '7', message: expect.stringMatching(/7|parent|scheduler iteration/) });
    expect(error.message).not.toMatch(/^Unknown code/);
    if (code === ErrorCode.JobHasFailedChildren) expect(controlFlowOf(error)).toBe('UnrecoverableError');
    else expect((error as JobStatusError).status).not.toBe('Unknown');
  },
);

test('every status that a script answers is listed', () => {
  const lua = new URL('../../../../lua/', import.meta.url);
  const scripts = ['commands/', 'includes/'].flatMap((folder) =>
    readdirSync(new URL(folder, lua)).map((name) => new URL(folder + name, lua)),
  );
  const answered = scripts.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\breturn (-\d+)\b/g)].map(([, code]) => Number(code)),
  );
  expect(answered.length).toBeGreaterThan(20);
  expect(answered.filter((code) => !LISTED.includes(code))).toEqual([]);
});

test('every code that callers can name is a typed error, and no other is listed', () => {
  const named = [...Object.values(ErrorCode), FAMILY_TOO_LARGE];
  for (const code of named) expect(errorFromStatus(code, { jobId: '7', command: 'cmd' }).message).not.toMatch(/^Unknown code/);
  expect(LISTED.filter((code) => code < 0 && !named.includes(code))).toEqual([SLOT_TAKEN]);
});
