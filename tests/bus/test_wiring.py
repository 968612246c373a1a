from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bus import Database, Module, WiringError, assemble, event_view
from bus.event import Catalogue
from bus.testing import RecordingTransport
from bus.wiring import wiring_problems
from tests.bus.shop import OrderPlaced, PlacedOrder, TicketOpened


@event_view("order.plcaed")
@dataclass(frozen=True)
class MisspelledOrder:
    order_id: str


@event_view("weather.changed")
@dataclass(frozen=True)
class Weather:
    degrees: int


@event_view("order.placed")
@dataclass(frozen=True)
class UnreadableOrder:
    order_id: int
    customer: str


def catalogue_of(**contracts: list[type]) -> Catalogue:
    catalogue = Catalogue()
    for module, classes in contracts.items():
        catalogue.add(module, classes)
    return catalogue


def test_modules_that_fit_together_have_no_problems() -> None:
    catalogue = catalogue_of(order=[OrderPlaced], kitchen=[PlacedOrder, TicketOpened])

    assert wiring_problems(catalogue, ["order", "kitchen"], is_local=True) == []


def test_view_of_an_unknown_event_is_a_problem_that_names_the_nearest() -> None:
    catalogue = catalogue_of(order=[OrderPlaced], kitchen=[MisspelledOrder, TicketOpened])

    (problem,) = wiring_problems(catalogue, ["order", "kitchen"], is_local=True)

    assert problem == (
        "MisspelledOrder of module 'kitchen' is a view of 'order.plcaed', which no module publishes; "
        "did you mean 'order.placed'?"
    )


def test_view_of_an_unknown_event_with_nothing_near_is_told_what_there_is() -> None:
    catalogue = catalogue_of(order=[OrderPlaced], kitchen=[Weather, TicketOpened])

    (problem,) = wiring_problems(catalogue, ["order", "kitchen"], is_local=True)

    assert problem.endswith("which no module publishes; there are kitchen.ticket_opened, order.placed")


def test_unreadable_view_is_a_problem_for_each_field() -> None:
    catalogue = catalogue_of(order=[OrderPlaced], kitchen=[UnreadableOrder])

    problems = wiring_problems(catalogue, ["order", "kitchen"], is_local=True)

    place = "UnreadableOrder of module 'kitchen' cannot be read from 'order.placed' of module 'order': "
    assert problems == [
        f"{place}field order_id is written as str but read as int",
        f"{place}field customer is read but never written (there are order_id, quantity)",
    ]


def test_subscriber_that_is_not_hosted_cannot_be_reached_inside_one_process() -> None:
    catalogue = catalogue_of(order=[OrderPlaced], kitchen=[PlacedOrder])

    (problem,) = wiring_problems(catalogue, ["order"], is_local=True)

    assert problem.startswith("module 'kitchen' listens to order.placed but is not hosted here")
    assert "BUS_URL" in problem


def test_subscriber_that_is_not_hosted_is_no_problem_where_the_transport_reaches_other_processes() -> None:
    catalogue = catalogue_of(order=[OrderPlaced], kitchen=[PlacedOrder])

    assert wiring_problems(catalogue, ["order"], is_local=False) == []


@pytest.mark.parametrize("hosted", ["kitchen", "restaurant"])
def test_publisher_that_is_not_hosted_is_no_problem(hosted: str) -> None:
    catalogue = catalogue_of(order=[OrderPlaced], kitchen=[PlacedOrder], restaurant=[])

    assert wiring_problems(catalogue, [hosted], is_local=True) == []


def test_assembling_modules_that_do_not_fit_together_fails_with_every_problem(tmp_path: Path) -> None:
    modules = [Module("order", contract=[OrderPlaced]), Module("kitchen", contract=[MisspelledOrder, PlacedOrder])]
    order = Database("order", f"sqlite:///{tmp_path}/order.db")

    with pytest.raises(WiringError) as refused:
        assemble(modules, {"order": order})

    assert len(refused.value.problems) == 2
    assert all(problem in str(refused.value) for problem in refused.value.problems)


def test_assembling_asks_the_transport_how_far_it_reaches(tmp_path: Path) -> None:
    modules = [Module("order", contract=[OrderPlaced]), Module("kitchen", contract=[PlacedOrder])]
    order = Database("order", f"sqlite:///{tmp_path}/order.db")

    bus = assemble(modules, {"order": order}, transport=RecordingTransport())

    assert bus.subscribers_of("order.placed") == ("kitchen",)
