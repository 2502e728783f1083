import { targetKey } from './registry.js';

const URL_OF = 'redis://127.0.0.1:6379/2';

test.each([
  { name: 'a URL and options that have nothing else', one: URL_OF, other: { url: URL_OF }, isSame: true },
  { name: 'equal options in another order', one: { url: URL_OF, db: 1 }, other: { db: 1, url: URL_OF }, isSame: true },
  { name: 'other URLs in options', one: { url: URL_OF }, other: { url: 'redis://127.0.0.1:6380/2' }, isSame: false },
  { name: 'a URL and options that say more', one: URL_OF, other: { url: URL_OF, connectTimeout: 5 }, isSame: false },
  { name: 'options of equal objects', one: { tls: {} }, other: { tls: {} }, isSame: false },
])('$name name one target: $isSame', ({ one, other, isSame }) => {
  expect(targetKey(one) === targetKey(other)).toBe(isSame);
});
