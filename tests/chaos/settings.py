"""What is asked of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of a run.

    Attributes:
        database: `postgres` or `sqlite`.
        events: Events of the whole chain: half of them are of orders, the others of the tickets that follow.
        kills: Processes that are killed.
        stops: Processes that are stopped for longer than what they hold is theirs.
        restarts: Immediate restarts of the server.
        transport: `inprocess`, or the broker between those who publish and those who work: `rabbitmq` or `redis`.
        broker_kills: Kills of the broker, which is started anew with what it has on its disk.
        wipes: Moments in which the broker forgets everything.
        moves: 1: those who publish run every listener themselves, until half of the orders are placed.
        seed: Of the faults' schedule.
        processes: Processes at a time.
        workers: Threads for each module in a process, on PostgreSQL.
        speed: Seconds of the bus's clock for each of the machine's.
        patience: Seconds after the publication within which everything is to be delivered.
        prompt: Seconds after the last fault within which a run over a broker has to be whole again.
        at: The failpoint at which processes are killed; None: at any moment.
    """

    database: str
    events: int
    kills: int = 0
    stops: int = 0
    restarts: int = 0
    transport: str = "inprocess"
    broker_kills: int = 0
    wipes: int = 0
    moves: int = 0
    seed: int = 0
    processes: int = 3
    workers: int = 1
    speed: int = 1
    patience: float = 120.0
    prompt: float = 20.0
    at: str | None = None

    @property
    def orders(self) -> int:
        """How many orders are to be acknowledged."""
        return self.events // 2

    @property
    def is_over_a_broker(self) -> bool:
        """Whether those who publish and those who work are different processes."""
        return self.transport != "inprocess"

    @property
    def publishers(self) -> int:
        """How many of the processes publish: over a broker half of them, and the others work."""
        return max(1, self.processes // 2) if self.is_over_a_broker else self.processes
