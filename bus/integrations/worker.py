"""What Dramatiq's own command imports: the broker of the application that the environment names, as Flask finds it."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

from dramatiq import Broker, Middleware, Worker
from flask import Flask
from flask.cli import ScriptInfo

from bus.bus import EventBus
from bus.errors import BusError
from bus.integrations.current import EXTENSION
from bus.operations import operations_of
from bus.transport.dramatiq.transport import DramatiqTransport

log = logging.getLogger("bus")

#: Seconds within which a second SIGTERM says the same as the first.
_ECHO = 2.0


class Life(Middleware):
    """Starts the bus with the worker of this process, and stops it before the worker ends."""

    def __init__(self, bus: EventBus, transport: DramatiqTransport) -> None:
        self._bus = bus
        self._transport = transport

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Start the bus: it declares the queues of the modules that this process works for.

        Raises:
            SystemExit: It does not start. Dramatiq goes on after anything else, with a process that does nothing.
        """
        hear_sigterm_once()
        self._transport.worked_by(worker)
        try:
            self._bus.start()
        except Exception as error:
            log.critical("the bus of this worker does not start, so it ends", exc_info=True)
            raise SystemExit(1) from error

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Begin nothing more, and let what runs end; what else comes to this process goes back to its queue."""
        self._bus.stop()


def hear_sigterm_once(clock: Callable[[], float] = time.monotonic) -> None:
    """Keep a SIGTERM right behind another one from this process's handler, which would take it for haste.

    A supervisor that tells a whole group, as systemd does, tells this process; so does Dramatiq's main process, when it
    is told.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler):
        return
    first: float | None = None

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if first is None or clock() - first > _ECHO:
            first = clock() if first is None else first
            handler(number, frame)

    signal.signal(signal.SIGTERM, hear)


def transport_of(bus: EventBus) -> DramatiqTransport:
    """Return the transport over a broker that a bus has.

    Raises:
        BusError: It carries its events in some other way.
    """
    found = operations_of(bus).transport
    if not isinstance(found, DramatiqTransport):
        raise BusError(
            "the events of this application travel inside one process, so there is nothing for a worker to do; "
            "set FLASK_BUS_URL to a broker, such as dramatiq+amqp://HOST"
        )
    return found


def broker_of(app: Flask) -> Broker:
    """Return the broker on which the modules of an application are worked for by this process.

    Raises:
        BusError: The application has no bus, or its events travel inside one process.
    """
    bus = app.extensions.get(EXTENSION)
    if bus is None:
        raise BusError("this application has no bus; call BusExtension(bus).init_app(app)")
    transport = transport_of(bus)
    transport.broker.add_middleware(Life(bus, transport))
    for name in ("alembic", "sqlalchemy", "bus.pool"):
        # Dramatiq's command has everybody say what they do.
        logging.getLogger(name).setLevel(logging.WARNING)
    # The thread that sends tells what becomes of the broker.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    return transport.broker


def __getattr__(name: str) -> Broker:
    """Load the application when its broker is asked for, and not before."""
    if name == "broker":
        return broker_of(ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app())
    raise AttributeError(name)
