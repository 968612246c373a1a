"""The application, each line of whose log begins with the number of its process, also those of a traceback."""

from __future__ import annotations

import logging
import os

from modular_app.serving import end_on_sigterm, start


class NumberedLines(logging.Formatter):
    """Writes the number of the process before every line."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(f"{os.getpid()} {line}" for line in super().format(record).splitlines())


handler = logging.StreamHandler()
handler.setFormatter(NumberedLines())
logging.basicConfig(handlers=[handler])

app = start()
end_on_sigterm(app)
