from __future__ import annotations

import pytest

from bus.testing import RecordingTransport, RepeatingTransport
from bus.testing.contracts import TransportContract
from bus.transport.inprocess import InProcessTransport


class TestInProcessTransport(TransportContract):
    @pytest.fixture
    def transport(self) -> InProcessTransport:
        return InProcessTransport()


class TestRecordingTransport(TransportContract):
    @pytest.fixture
    def transport(self) -> RecordingTransport:
        return RecordingTransport()


class TestRepeatingTransport(TransportContract):
    @pytest.fixture(params=[False, True], ids=["in a row", "after all"])
    def transport(self, request: pytest.FixtureRequest) -> RepeatingTransport:
        return RepeatingTransport(InProcessTransport(), after_all=request.param)
