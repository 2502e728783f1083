import { ROLE_OF_VERB, VERBS } from '../protocol/index.js';
import { refuseAccess } from './access.js';

test('a writer may do everything', () => {
  for (const verb of VERBS) expect(refuseAccess({ source: 'unix', role: 'write' }, verb)).toBeUndefined();
});

test('a reader may do what changes nothing', () => {
  for (const verb of VERBS) {
    const refused = refuseAccess({ source: 'unix', role: 'read' }, verb);
    expect(refused?.code).toBe(ROLE_OF_VERB[verb] === 'read' ? undefined : 'FORBIDDEN');
  }
  expect(refuseAccess({ source: 'parent', role: 'read' }, 'stop')?.message).toBe(
    'stop changes the cluster; this client (parent) may only read',
  );
});
