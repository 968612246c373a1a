"""What gunicorn has to know of this application; it reads this file in the folder in which it is started."""

from __future__ import annotations

from gunicorn.workers.base import Worker


def post_worker_init(worker: Worker) -> None:
    """Have SIGTERM end the open streams at once, also where the application was loaded before the fork."""
    # Not imported above: without --preload, a SIGHUP has to bring in new code.
    from modular_app.serving import end_on_sigterm

    end_on_sigterm(worker.wsgi)


def worker_int(worker: Worker) -> None:
    """Have SIGINT and SIGQUIT, gunicorn's quick end, wait for no listener either."""
    from modular_app.serving import end_at_once

    if worker.booted:
        end_at_once(worker.wsgi)
