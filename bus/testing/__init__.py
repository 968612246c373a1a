"""What tests of modules need: public, documented, and itself under test."""

from bus.testing.clock import FakeClock
from bus.testing.stand_ins import stand_ins
from bus.testing.transport import RecordingTransport

__all__ = ["FakeClock", "RecordingTransport", "stand_ins"]
