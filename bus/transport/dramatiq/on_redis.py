"""Redis, set up so that a dead worker's messages go to others soon, and nothing in a queue stops its neighbours."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import uuid4

from dramatiq import Consumer, Message, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed
from redis import ConnectionError as RedisConnectionError
from redis import InvalidResponse, RedisError, ResponseError
from redis import TimeoutError as RedisTimeoutError

from bus.transport.dramatiq.brokers import with_settings
from bus.transport.dramatiq.deliveries import middleware
from bus.transport.dramatiq.queues import Queues, Taken
from bus.transport.dramatiq.strange import carrying, ours

log = logging.getLogger("bus")

#: Milliseconds of silence after which the messages of a process are given to others, more than it waits for an answer
#: and connects anew; and one look in a thousand commands is not enough to find it, so each is one.
HEARTBEAT_TIMEOUT, MAINTENANCE_CHANCE = 15_000, 1_000_000

#: Seconds for which a connection and an answer are waited for; a peer that is gone without a word is found out.
SETTINGS = {"socket_connect_timeout": 5, "socket_timeout": 10, "socket_keepalive": "true"}

#: Seconds for which messages that have ended are gathered before as many others are asked for.
TOGETHER = 0.002

#: Seconds between two looks for what processes have left that have ended.
LOOK_FOR_LEFT = 1.0

#: An option that each message has on Redis, where Dramatiq keeps by which id that knows it.
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
        """Have them put into their queues, with one trip for each queue."""
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
        make(url=with_settings(url, SETTINGS), middleware=middleware(), **timing)
        #: By which ids Redis knows what has ended and was not let go yet, by queue; they outlive a consumer.
        self.ended: defaultdict[str, deque[bytes]] = defaultdict(deque)
        self._queues = Queues(self)

    @property
    def consumer_class(self) -> type[Consumer]:
        """What takes from a queue."""
        return _GatheringConsumer

    def enqueue_all(self, messages: Iterable[Message[Any]]) -> None:
        """Enqueue messages as `enqueue` does, with one trip for each queue, in their order."""
        for queue_name, some in groupby(messages, key=attrgetter("queue_name")):
            written: dict[str, bytes] = {}
            for message in some:
                # Redis has an id of its own for each time that a message is sent.
                redis_id = str(uuid4())
                written[redis_id] = message.copy(options={MESSAGE_ID: redis_id}).encode()
            with _outages():
                self._queues.put(queue_name, written)

    def take(self, queue_name: str, most: int) -> list[_Delivered]:
        """Let go of what has ended, and take at most so many messages; what is not let go now is the next time."""
        ended = self.ended[queue_name]
        some = [ended.popleft() for _ in range(len(ended))]
        try:
            with _outages():
                taken = self._queues.take(queue_name, most, some)
        except BaseException:
            ended.extend(some)
            raise
        return [_Delivered(queue_name, found) for found in taken]

    def look_for_left(self, queue_name: str) -> None:
        """Put back into a queue what processes have left that have ended, as Dramatiq does with each of its scripts."""
        self._do("fetch", queue_name, 0)

    def give_back(self, queue_name: str, redis_ids: Iterable[bytes]) -> None:
        """Give messages back to their queue."""
        if some := list(redis_ids):
            self._do("requeue", queue_name, *some)

    def _do(self, name: str, queue_name: str, *arguments: object) -> Any:
        """Run a script; whatever breaks off the answer is an outage, for which alone Dramatiq waits."""
        dispatch: Any = self._dispatch
        with _outages():
            return dispatch(name)(queue_name, *arguments)


class _Delivered(MessageProxy):
    """A message as it is handed on.

    Attributes:
        redis_id: By which Redis knows it.
        redelivered: Whether it was delivered before, here or to another process, and not let go.
    """

    def __init__(self, queue_name: str, found: Taken) -> None:
        super().__init__(ours(found.data, queue_name, {MESSAGE_ID}) or carrying(found.data, queue_name))
        self.redis_id, self.redelivered = found.id, not found.is_new


@contextmanager
def _outages() -> Iterator[None]:
    """Raise whatever breaks off an answer as an outage, for which alone Dramatiq waits."""
    try:
        yield
    except (RedisTimeoutError, InvalidResponse, OSError) as error:
        raise RedisConnectionError(str(error)) from error


class _GatheringConsumer(Consumer):
    """Lets go of many messages with one question, and takes others as soon as it has room; asks an idle queue less.

    Whatever is not let go, as this process dies before, is delivered to another one, whose inbox knows it.
    """

    def __init__(self, broker: OurRedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        self._broker, self._queue_name, self._prefetch, self._timeout = broker, queue_name, prefetch, timeout
        self._taken: deque[_Delivered] = deque()
        #: By their ids, what this process has in hand.
        self._in_hand: set[bytes] = set()
        self._has_room = threading.Event()
        self._look_at = self._look_for_left_at = 0.0

    def __next__(self) -> _Delivered | None:
        """Return the next message; None where there is none, or no room for one."""
        if not self._taken:
            with _told_to_dramatiq():
                self._take()
        if not self._taken:
            return None
        found = self._taken.popleft()
        self._in_hand.add(found.redis_id)
        return found

    def ack(self, message: Any) -> None:
        """Let go of a message, soon."""
        self._broker.ended[self._queue_name].append(message.redis_id)
        self._end(message)

    def nack(self, message: Any) -> None:
        """Give a message back."""
        try:
            with _told_to_dramatiq():
                self._broker.give_back(self._queue_name, [message.redis_id])
        finally:
            self._end(message)

    def requeue(self, messages: Iterable[Any]) -> None:
        """Give back what was not begun."""
        with _told_to_dramatiq():
            self._broker.give_back(self._queue_name, [message.redis_id for message in messages])

    def close(self) -> None:
        """Let go of what has ended, and give back what was not handed on, if Redis answers."""
        taken, self._taken = self._taken, deque()
        self.requeue(taken)
        with _told_to_dramatiq():
            self._broker.take(self._queue_name, 0)

    def _end(self, message: Any) -> None:
        self._in_hand.discard(message.redis_id)
        self._has_room.set()

    def _take(self) -> None:
        time.sleep(max(0.0, self._look_at - time.monotonic()))
        if time.monotonic() >= self._look_for_left_at:
            self._broker.look_for_left(self._queue_name)
            self._look_for_left_at = time.monotonic() + LOOK_FOR_LEFT
        most = self._prefetch - len(self._in_hand) if self._finds_room() else 0
        if not most and not self._broker.ended[self._queue_name]:
            return
        self._taken.extend(self._broker.take(self._queue_name, most))
        if len(self._taken) < most:
            # What comes meanwhile comes with one question.
            self._look_at = time.monotonic() + self._timeout / 1000

    def _finds_room(self) -> bool:
        self._has_room.clear()
        if len(self._in_hand) < self._prefetch:
            return True
        if not self._has_room.wait(self._timeout / 1000):
            return False
        # Those that end at the same time share a question.
        time.sleep(TOGETHER)
        return True


@contextmanager
def _told_to_dramatiq() -> Iterator[None]:
    """Raise an outage as Dramatiq wants to hear of it."""
    try:
        yield
    except RedisConnectionError as error:
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # Dramatiq says no types
