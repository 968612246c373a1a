"""What each port promises, as tests: subclass a contract once for each implementation of its port.

    class TestMyTransport(TransportContract):
        @pytest.fixture
        def transport(self) -> MyTransport:
            return MyTransport()

Each test holds one promise, so the name of one that fails is the promise that is broken.
"""

# ruff: noqa: E402 - pytest has to know the contracts before they are imported, to show what an assertion saw

from bus.errors import MissingExtraError

try:
    import pytest
except ImportError as error:
    raise MissingExtraError("pytest is not installed; pip install 'modular-bus[testing]'") from error

_PARTS = (
    "clock",
    "crashes",
    "dead_letters",
    "history",
    "ids",
    "inbox",
    "outbox",
    "pauses",
    "publications",
    "quarantine",
    "transport",
)

pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))

from bus.testing.contracts.clock import ClockContract
from bus.testing.contracts.dead_letters import DeadLetterStoreContract
from bus.testing.contracts.history import HistoryStoreContract
from bus.testing.contracts.ids import IdSourceContract
from bus.testing.contracts.inbox import InboxStoreContract
from bus.testing.contracts.outbox import OutboxStoreContract
from bus.testing.contracts.pauses import PauseStoreContract
from bus.testing.contracts.quarantine import QuarantineStoreContract
from bus.testing.contracts.transport import TransportContract

__all__ = [
    "ClockContract",
    "DeadLetterStoreContract",
    "HistoryStoreContract",
    "IdSourceContract",
    "InboxStoreContract",
    "OutboxStoreContract",
    "PauseStoreContract",
    "QuarantineStoreContract",
    "TransportContract",
]
