"""Small applications and buses on disk, clean until a test plants a breach in them."""

from dataclasses import dataclass
from pathlib import Path
from string import Template

from bus.verification import Report, verify, verify_layers
from bus.verification.layers import CORE, DURABLE

#: `$modules`, `$app`, `$shared` and `$bus` stand for names that no other test uses.
APPLICATION = {
    "$modules/__init__.py": "",
    "$modules/order/__init__.py": '"""Never calls $modules.kitchen."""\nmodule = "order"\n',
    "$modules/order/contract.py": "import dataclasses\nfrom bus import event\n",
    "$modules/order/services.py": "from . import contract\nfrom ..order import contract as c\n",
    "$modules/kitchen/__init__.py": 'module = "kitchen"\n',
    "$modules/kitchen/models.py": "class Ticket: ...\n",
    "$modules/restaurant/__init__.py": 'module = "restaurant"\n',
    "$modules/restaurant/contract.py": "import $modules.restaurant\n",
    "$app/__init__.py": "",
    "$app/app.py": (
        "from importlib import import_module\n"
        "from $modules.order import module\n"
        "from $modules import kitchen, restaurant\n"
        "modules = [module, kitchen.module, import_module('$modules.restaurant').module]\n"
        "more = [import_module(f'$modules.{name}').module for name in ('order',)]\n"
        "logger = '$modules.kitchen'\n"
    ),
}

BUS = {
    "$bus/__init__.py": "",
    **{f"$bus/{part}.py": "import $bus.errors\n" for part in (*CORE, *DURABLE)},
    "$bus/errors.py": "import logging\n",
    "$bus/database.py": "import sqlalchemy\n",
    "$bus/outbox.py": "import $bus.database\nfrom $bus.transport.base import Transport\n",
    "$bus/transport/__init__.py": "",
    "$bus/transport/base.py": "class Transport: ...\n",
    "$bus/transport/dramatiq.py": "import dramatiq\n",
    "$bus/integrations/__init__.py": "",
    "$bus/integrations/flask.py": "import flask, dependency_injector\n",
    "$bus/verification/__init__.py": "",
    "$bus/verification/graph.py": "import grimp\n",
}


@dataclass(frozen=True)
class Tree:
    """A source tree below a folder that is on the Python path."""

    folder: Path
    names: dict[str, str]

    def plant(self, *files: tuple[str, str]) -> None:
        for place, source in files:
            path = self.folder / self.filled(place)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(self.filled(source) + "\n")

    def filled(self, text: str) -> str:
        return Template(text).substitute(self.names)

    def report(self, *others: str) -> Report:
        return verify(self.names["modules"], self.names["app"], others=others)

    def layers(self) -> Report:
        return verify_layers(self.names["bus"], (self.names["modules"], self.names["app"]))

    def found(self, report: Report) -> set[tuple[str, str, str]]:
        return {(violation.rule, violation.module, violation.other) for violation in report.violations}
