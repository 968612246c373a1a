"""What tests of modules need: public, documented, and itself under test."""

from bus.testing.alone import ModuleUnderTest, boot_alone
from bus.testing.clock import FakeClock
from bus.testing.published import PublishedEvents, published_events
from bus.testing.repeating import RepeatingTransport
from bus.testing.scenario import Scenario, Stimulated
from bus.testing.stand_ins import stand_ins
from bus.testing.transport import RecordingTransport

__all__ = [  # noqa: RUF022 - grouped by concept
    # a module alone
    "boot_alone",
    "ModuleUnderTest",
    "stand_ins",
    # what was published
    "published_events",
    "PublishedEvents",
    # several modules
    "Scenario",
    "Stimulated",
    # fakes
    "FakeClock",
    "RecordingTransport",
    "RepeatingTransport",
]
