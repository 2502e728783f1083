/** Clean-up that stands where the thing to clean up is made, and runs in reverse order, whatever becomes of the test. */

type CleanUp = () => unknown;

const ofTest: CleanUp[] = [];
const ofFile: CleanUp[] = [];
let inTest = false;

/**
 * Runs `cleanUp` when the test under way ends; called from `beforeAll`, when the file ends. The latest runs first, so that a
 * queue made on a private Redis is closed before that server stops. It comes before `afterEach` hooks at the top of a file.
 */
export function atEnd(cleanUp: CleanUp): void {
  (inTest ? ofTest : ofFile).push(cleanUp);
}

beforeEach(() => {
  inTest = true;
});

afterEach(async () => {
  inTest = false;
  await runAll(ofTest);
});

afterAll(() => runAll(ofFile));

/** All of them run, also after one has failed; the failures are thrown together. */
async function runAll(cleanUps: CleanUp[]): Promise<void> {
  const errors: unknown[] = [];
  while (cleanUps.length > 0) {
    try {
      await cleanUps.pop()!();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} clean-ups failed: ${errors.map(String).join('; ')}`);
}
