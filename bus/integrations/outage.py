"""A request that a database keeps from being answered: 503, told to be tried again."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from bus.database_errors import DatabaseTrouble, database_trouble
from bus.errors import MissingExtraError

try:
    from flask import Flask, request
    from flask.typing import ResponseReturnValue
    from werkzeug.exceptions import ServiceUnavailable
except ImportError as error:
    raise MissingExtraError("Flask is not installed; pip install 'modular-bus[flask]'") from error

log = logging.getLogger("bus")

#: Seconds after which a client is asked to try again.
RETRY_AFTER = 5


def register_outages(app: Flask) -> None:
    """Answer 503 with `Retry-After` where a request met a database that is away or busy; all else stays as it was.

    A database that is away is told by the relay and the workers, once for an outage, and not by each request.
    """

    def answer(error: SQLAlchemyError) -> ResponseReturnValue:
        trouble = database_trouble(error)
        if trouble is None:
            raise error
        level = logging.DEBUG if trouble is DatabaseTrouble.AWAY else logging.WARNING
        log.log(level, "%s %s is answered with 503: %s", request.method, request.path, trouble.value)
        # Not "nothing was done": the answer to a COMMIT may be what was lost.
        return app.handle_http_exception(
            ServiceUnavailable(f"{trouble.value}; try again in {RETRY_AFTER} s", retry_after=RETRY_AFTER)
        )

    app.register_error_handler(SQLAlchemyError, answer)
