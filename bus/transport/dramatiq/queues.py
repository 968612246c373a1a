"""What is asked of Redis about a queue, each in one trip: to put messages in, and to let go of some and take others.

The keys are those of Dramatiq's own script, `dramatiq/brokers/redis/dispatch.lua`, beside which these work: a queue's
list of ids, what they stand for in `QUEUE.msgs`, and what a process has in hand in a set of its own. Another set,
`QUEUE.delivered`, knows what was delivered and not let go, which Redis itself does not tell of a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import current_millis
from redis import Redis

_PUT = """
for i = 1, #ARGV, 2 do
    -- Not again, where somebody puts them once more who has not heard that they are there.
    if redis.call('hset', KEYS[1] .. '.msgs', ARGV[i], ARGV[i + 1]) == 1 then
        redis.call('rpush', KEYS[1], ARGV[i])
    end
end
"""

_TAKE = """
local queue, in_hand, signs = KEYS[1], KEYS[2], KEYS[3]
local now, process, most = ARGV[1], ARGV[2], ARGV[3]
local messages, delivered = queue .. '.msgs', queue .. '.delivered'
redis.call('zadd', signs, now, process)
for i = 4, #ARGV do
    -- What was given to another process meanwhile is that one's to let go.
    if redis.call('srem', in_hand, ARGV[i]) > 0 then
        redis.call('hdel', messages, ARGV[i])
        redis.call('srem', delivered, ARGV[i])
    end
end
local taken = {}
for _ = 1, most do
    local id = redis.call('lpop', queue)
    if not id then break end
    local data = redis.call('hget', messages, id)
    if data then
        redis.call('sadd', in_hand, id)
        taken[#taken + 1] = {id, data, redis.call('sadd', delivered, id)}
    end
end
return taken
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What stood in a queue.

    Attributes:
        id: By which Redis knows it, whatever its bytes say.
        data: Its bytes.
        is_new: Whether it was never delivered before.
    """

    id: bytes
    data: bytes
    is_new: bool


class Queues:
    """The queues of a broker; thread-safe. A RedisError says that nobody knows what was done."""

    def __init__(self, broker: RedisBroker) -> None:
        self._namespace, self._process = broker.namespace, broker.broker_id
        client = cast("Redis", broker.client)
        self._put, self._take = client.register_script(_PUT), client.register_script(_TAKE)

    def put(self, queue_name: str, messages: Mapping[str, bytes]) -> None:
        """Put messages into a queue, in their order; given by ids that nobody else makes."""
        written = [part for message in messages.items() for part in message]
        self._put([f"{self._namespace}:{queue_name}"], written)

    def take(self, queue_name: str, most: int, ended: Sequence[bytes]) -> list[Taken]:
        """Let go of what has ended, given by ids, and return what comes next in a queue, at most so many."""
        space = self._namespace
        keys = [f"{space}:{queue_name}", f"{space}:__acks__.{self._process}.{queue_name}", f"{space}:__heartbeats__"]
        answer: Any = self._take(keys, [current_millis(), self._process, most, *ended])
        return [Taken(id, data, bool(is_new)) for id, data, is_new in answer]
