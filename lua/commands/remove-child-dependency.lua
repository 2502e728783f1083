--- @include "detach-child"
--- @include "queue-of-meta"
--[[ remove-child-dependency: unlinks a child from its parent, which waits for it no more.
  KEYS[1] meta HASH of the child's queue; every other key follows from its name

  ARGV[1] id         of the child
  ARGV[2] parentKey  full key of the parent

  Returns 0 unlinked, 1 the parent did not wait for it, -1 no such child, -5 no such parent
  Events  waiting for a parent that waited for this child alone
  Cost    O(1) ]]
local q, parentKey = queueOfMeta(KEYS[1]), ARGV[2]
local key = q.base .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return -1 end
if redis.call('EXISTS', parentKey) == 0 then return -5 end
if redis.call('SISMEMBER', parentKey .. ':dependencies', key) == 0 then return 1 end
detachChild(q, key, parentKey, redis.call('HGET', key, 'parent'))
redis.call('HDEL', key, 'parentKey', 'parent')
return 0
