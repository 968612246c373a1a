"""Whether the process lives, and whether it can work."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from flask import Blueprint
from flask.typing import ResponseReturnValue

from bus import Database, EventBus


class HealthViews:
    """Answers those who watch the process."""

    def __init__(self, bus: EventBus, databases: Mapping[str, Database]) -> None:
        self._bus = bus
        self._databases = databases

    def live(self) -> ResponseReturnValue:
        """Answer at all."""
        return {"status": "ok"}

    def ready(self) -> ResponseReturnValue:
        """Answer 200 where every database and the transport answer, else 503, and say which.

        A module without a worker is named too; what others ask of this process it does all the same.
        """
        answers = {**self._database_answers(), "transport": self._bus.life.is_ready()}
        checks = {name: "ok" if answered else "does not answer" for name, answered in answers.items()}
        good = all(answers.values())
        answer: dict[str, object] = {"status": "ready" if good else "not ready", "checks": checks}
        if unserved := self._bus.life.unserved():
            answer["without a worker"] = unserved
        return answer, 200 if good else 503

    def _database_answers(self) -> dict[str, bool]:
        """Ask all at once: each may take its time where its server stands still."""
        with ThreadPoolExecutor(len(self._databases)) as threads:
            found = threads.map(Database.answers, self._databases.values())
            return {f"database {name}": answers for name, answers in zip(self._databases, found, strict=True)}


def create_health(bus: EventBus, databases: Mapping[str, Database]) -> Blueprint:
    """Return the routes of health, to be mounted at the root."""
    views = HealthViews(bus, databases)
    blueprint = Blueprint("health", __name__)
    blueprint.add_url_rule("/healthz", view_func=views.live)
    blueprint.add_url_rule("/readyz", view_func=views.ready)
    return blueprint
