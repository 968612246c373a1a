"""Redis, set up so that a dead worker's messages go to others soon, and nothing in a queue stops its neighbours."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from functools import partial
from typing import Any
from uuid import uuid4

from dramatiq import Consumer, Message
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed
from redis import ConnectionError as RedisConnectionError
from redis import InvalidResponse, RedisError, ResponseError
from redis import TimeoutError as RedisTimeoutError

from bus.transport.dramatiq.brokers import with_settings
from bus.transport.dramatiq.keeping import GivingBack
from bus.transport.dramatiq.strange import carried, is_ours

log = logging.getLogger("bus")

#: Milliseconds of silence after which the messages of a process are given to others; and one look in a thousand
#: commands is not enough to find it, so each is one.
HEARTBEAT_TIMEOUT, MAINTENANCE_CHANCE = 15_000, 1_000_000

#: Seconds for which a connection and an answer are waited for; a peer that is gone without a word is found out.
SETTINGS = {"socket_connect_timeout": 5, "socket_timeout": 10, "socket_keepalive": "true"}

#: Seconds for which messages that have ended are gathered before as many others are asked for.
TOGETHER = 0.002

#: What an acknowledgement names, as an option of each message.
MESSAGE_ID = "redis_message_id"


class RedisConnection:
    """A broker on Redis.

    In the sorted set `APPLICATION:processes`, and in `QUEUE:workers` for each queue that it takes from, a process has
    the server's time of its last sign of life.
    """

    kind = "Redis"

    def __init__(self, url: str, application: str) -> None:
        self._url = url
        self.broker = OurRedisBroker(url)
        self._roll = f"{application}:processes"
        self._rolls = {self._roll}
        self._me = uuid4().hex
        self._has_looked = False

    def another(self) -> OurRedisBroker:
        """Return one that connects by itself."""
        return OurRedisBroker(self._url)

    def probe(self) -> None:
        """Connect."""
        self.broker.client.ping()

    def send(self, messages: Sequence[Message[Any]]) -> None:
        """Have them put into their queues, with as many trips for a hundred as for two."""
        if len(messages) == 1:
            self.broker.enqueue(messages[0])
        else:
            self.broker.enqueue_all(messages)

    def keep_alive(self, served: Collection[str]) -> int:
        """Give a sign of life, strike off who has given none, and count; the first time, look whether Redis forgets."""
        self._look_once()
        seconds = self._seconds()
        writing = self.broker.client.pipeline(transaction=True)
        for roll in (*map(_roll_of, served), self._roll):
            writing.zadd(roll, {self._me: seconds})
            writing.zremrangebyscore(roll, 0, seconds - HEARTBEAT_TIMEOUT // 1000)
        writing.zcard(self._roll)
        self._rolls.update(map(_roll_of, served))
        return int(writing.execute()[-1])

    def workers(self, queue: str) -> int:
        """Return how many have given a sign of life."""
        return int(self.broker.client.zcount(_roll_of(queue), self._seconds() - HEARTBEAT_TIMEOUT // 1000, "+inf"))

    def reset(self) -> None:
        """Forget the connections, and have this process struck off."""
        with suppress(RedisError):
            for roll in self._rolls:
                self.broker.client.zrem(roll, self._me)
        self.broker.client.connection_pool.disconnect()

    def _look_once(self) -> None:
        if self._has_looked:
            return
        client: Any = self.broker.client
        try:
            found = client.info()
        except ResponseError:
            # Who is not allowed to ask cannot be told.
            found = {}
        self._has_looked = True
        if found.get("maxmemory_policy", "noeviction") != "noeviction":
            log.warning(
                "this Redis throws messages away when it is full (maxmemory-policy %s): they are sent again, later; "
                "set noeviction",
                found["maxmemory_policy"],
            )
        if not found.get("aof_enabled", 1):
            log.warning("this Redis forgets its messages with a crash: they are sent again, later; set appendonly yes")

    def _seconds(self) -> int:
        """Return the server's time."""
        client: Any = self.broker.client
        return int(client.time()[0])


def _roll_of(queue: str) -> str:
    return f"{queue}:workers"


class OurRedisBroker(RedisBroker):
    """Dramatiq's broker, which stops at nothing in a queue."""

    def __init__(self, url: str) -> None:
        timing: dict[str, Any] = {"heartbeat_timeout": HEARTBEAT_TIMEOUT, "maintenance_chance": MAINTENANCE_CHANCE}
        make: Any = super().__init__
        make(url=with_settings(url, SETTINGS), middleware=[GivingBack()], **timing)
        #: By which ids Redis knows what has ended and was not let go yet, by queue; they outlive a consumer.
        self.ended: defaultdict[str, deque[str]] = defaultdict(deque)

    @property
    def consumer_class(self) -> type[Consumer]:
        """What takes from a queue."""
        return _GatheringConsumer

    def enqueue_all(self, messages: Sequence[Message[Any]]) -> None:
        """Enqueue messages as `enqueue` does, in one pipeline."""
        with self._in_one_trip() as gathering:
            for message in messages:
                gathering.enqueue(message)

    def let_go(self, queue_name: str) -> None:
        """Let go of what has ended, in one pipeline; what cannot be told now is told the next time."""
        ended = self.ended[queue_name]
        some = [ended.popleft() for _ in range(len(ended))]
        if not some:
            return
        try:
            with self._in_one_trip() as gathering:
                for redis_id in some:
                    gathering.do_ack(queue_name, redis_id)
        except BaseException:
            ended.extend(some)
            raise

    @contextmanager
    def _in_one_trip(self) -> Iterator[OurRedisBroker]:
        """Give a broker whose commands are gathered; they go at the end of the block, and nobody hears their answers.

        Raises:
            RedisConnectionError: The answers did not all come.
        """
        client: Any = self.client
        with client.pipeline(transaction=False) as trip:
            gathering = copy(self)
            gathering.scripts = {**self.scripts, "dispatch": partial(self.scripts["dispatch"], client=trip)}
            yield gathering
            with _outages():
                trip.execute()

    def do_fetch(self, queue_name: str, *arguments: object) -> list[bytes]:
        """Take what is in a queue, as Dramatiq's script of this name does."""
        fetched: list[bytes | None] = self._do("fetch", queue_name, *arguments)
        return [self._readable(queue_name, data) for data in fetched if data is not None]

    def do_ack(self, queue_name: str, *arguments: object) -> None:
        """Let go of a message, as Dramatiq's script of this name does."""
        self._do("ack", queue_name, *arguments)

    def do_nack(self, queue_name: str, *arguments: object) -> None:
        """Give a message back to its queue: nothing is rejected."""
        self._do("requeue", queue_name, *arguments)

    def _do(self, name: str, queue_name: str, *arguments: object) -> Any:
        """Run a script; whatever breaks off the answer is an outage, for which alone Dramatiq waits."""
        dispatch: Any = self._dispatch
        with _outages():
            return dispatch(name)(queue_name, *arguments)

    def _readable(self, queue_name: str, data: bytes) -> bytes:
        if is_ours(data, queue_name, {MESSAGE_ID}):
            return data
        return carried(data, queue_name, **{MESSAGE_ID: self._id_of(queue_name, data)})

    def _id_of(self, queue_name: str, data: bytes) -> str:
        """Return by which id something that this process has fetched can be acknowledged."""
        acks = f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}"
        client: Any = self.client
        fetched = [each.decode() for each in client.smembers(acks)]
        kept = client.hmget(f"{self.namespace}:{queue_name}.msgs", fetched) if fetched else []
        return next((each for each, other in zip(fetched, kept, strict=True) if other == data), "")


@contextmanager
def _outages() -> Iterator[None]:
    """Raise whatever breaks off an answer as an outage, for which alone Dramatiq waits."""
    try:
        yield
    except (RedisTimeoutError, InvalidResponse, OSError) as error:
        raise RedisConnectionError(str(error)) from error


_Consumer: Any = _RedisConsumer


class _GatheringConsumer(_Consumer):  # type: ignore[misc]  # its class is untyped
    """Dramatiq's consumer, that lets go of many messages with one question, and takes others as soon as it has room.

    Whatever is not let go, as this process dies before, is delivered to another one, whose inbox knows it.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._has_room = threading.Event()

    def __next__(self) -> Any:
        """Return the next message; None where there is none, or no room for one."""
        if not self.message_cache:
            has_room = self._finds_room()
            self._let_go()
            if not has_room:
                return None
        return super().__next__()

    def ack(self, message: Any) -> None:
        """Let go of a message, soon."""
        self.broker.ended[self.queue_name].append(message.options[MESSAGE_ID])
        self.queued_message_ids.discard(message.message_id)
        self._has_room.set()

    def nack(self, message: Any) -> None:
        """Give a message back."""
        super().nack(message)
        self._has_room.set()

    def close(self) -> None:
        """Let go of what has ended, if Redis answers."""
        self._let_go()

    def _let_go(self) -> None:
        try:
            self.broker.let_go(self.queue_name)
        except RedisConnectionError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # Dramatiq says no types

    def _finds_room(self) -> bool:
        self._has_room.clear()
        if self.outstanding_message_count < self.prefetch:
            return True
        if not self._has_room.wait(self.timeout / 1000):
            return False
        # Those that end at the same time share a question.
        time.sleep(TOGETHER)
        return True
