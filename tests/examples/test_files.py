"""What the example of a cluster says can be said: its form, its commands, its settings and its files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import jsonschema_rs
import pytest
from flask import Flask
from gunicorn.config import Config

from bus.assembly import make_transport
from bus.integrations.cli import bus_commands
from modular_app.app import configure
from modular_app.config import KEYS
from modular_app.container import MODULES
from modular_app.sources import Sources
from tests.examples.cluster import FOLDER, ROOT, compose, environment, filled_in, procfile, variables_of

NAMES = sorted(module.name for module in MODULES)
SECRETS = {"POSTGRES_PASSWORD": 32 * "ab", "BROKER_PASSWORD": 32 * "cd", "FLASK_BUS_SIGNING_KEYS": 32 * "ef"}
SCHEMA = Path(__file__).parent / "vendor" / "compose-spec.json"


def services() -> dict[str, Any]:
    return dict(compose()["services"])


def ours() -> dict[str, Any]:
    return {name: service for name, service in services().items() if service["image"].startswith("modular-bus-")}


#: What each service of the application runs, and each process.
COMMANDS = {
    **{f"compose.yaml: {name}": service["command"] for name, service in ours().items()},
    **{f"Procfile: {name}": command for name, command in procfile().items()},
}


def breaches(document: object) -> list[str]:
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))
    return [error.message for error in validator.iter_errors(document)]


def test_compose_file_keeps_to_the_compose_specification() -> None:
    assert breaches(compose()) == []


def test_compose_file_with_a_misspelt_key_breaks_the_specification() -> None:
    document = compose()
    document["services"]["kitchen"]["dependson"] = ["postgres"]

    assert len(breaches(document)) == 1


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_command_exists_and_takes_these_options(words: list[str]) -> None:
    program, *rest = words
    if program == "gunicorn":
        parsed = Config().parser().parse_args(rest)
        assert parsed.args == ["wsgi:app"]
    else:
        assert program == "flask"
        parse_flask(rest)


@pytest.mark.parametrize("words", ["bus workers", "bus worker --module kitchen", "bus db upgrade --module kitchen"])
def test_command_that_is_not_there_is_found_out(words: str) -> None:
    with pytest.raises((KeyError, click.UsageError)):
        parse_flask(words.split())


def parse_flask(words: list[str]) -> None:
    """Have the commands of an application read the words; what is unknown raises."""
    command: click.Command = click.Group("flask", {"bus": bus_commands})
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    command.make_context(command.name, words)


@pytest.mark.parametrize("file", ["compose.yaml", "Procfile"])
def test_every_module_has_one_worker_and_there_are_two_webs(file: str) -> None:
    commands = [words for name, words in COMMANDS.items() if name.startswith(file)]

    workers = [words[-1] for words in commands if words[:4] == ["flask", "bus", "worker", "--modules"]]
    assert sorted(workers) == NAMES
    assert sum(words[0] == "gunicorn" for words in commands) == 2


def test_settings_of_both_files_are_such_as_the_application_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    for told in settings_told():
        assert {name.removeprefix("FLASK_") for name in told} <= set(KEYS)
        for name, value in told.items():
            monkeypatch.setenv(name, value)

        settings = configure(Flask("shop"), {}, Sources({}, told))

        transport = make_transport(settings.bus_url, "shop", settings.signing_keys)
        assert type(transport).__name__ == "DramatiqTransport"


def settings_told() -> list[dict[str, str]]:
    """Return the settings on this machine, and those of each service of the application on either broker."""
    told = environment("compose.env.example")
    redis = re.search(r"^# FLASK_BUS_URL=(.*)$", (FOLDER / "compose.env.example").read_text(), re.MULTILINE)
    assert redis is not None
    urls = [told["FLASK_BUS_URL"], redis[1]]
    filled = [filled_in(told | SECRETS, FLASK_BUS_URL=url)["services"] for url in urls]
    return [environment("local.env.example"), *(each[name]["environment"] for each in filled for name in ours())]


def test_variables_of_the_compose_file_are_those_of_its_environment() -> None:
    asked = variables_of("compose.yaml") | variables_of("compose.env.example")

    given = re.findall(r"^(\w+)=", (FOLDER / "compose.env.example").read_text(), re.MULTILINE)

    assert sorted(asked | {"COMPOSE_PROFILES"}) == sorted(given)


def test_urls_of_the_compose_file_lead_to_its_services() -> None:
    urls = [url for told in settings_told()[1:] for name, url in told.items() if name.endswith("_URL")]

    assert {urlsplit(url).hostname for url in urls} == {"postgres", "rabbitmq", "redis"}


def test_services_wait_for_such_as_say_when_they_are_ready() -> None:
    for service in services().values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in services()[name]
            else:
                assert wanted["condition"] == "service_completed_successfully"
                assert (name, services()[name]["restart"]) == ("migrate", "no")


def test_services_that_a_profile_starts_are_waited_for_only_where_they_are_started() -> None:
    told = environment("compose.env.example")["COMPOSE_PROFILES"]
    brokers = {name: service["profiles"] for name, service in services().items() if "profiles" in service}

    assert brokers == {"rabbitmq": ["rabbitmq"], "redis": ["redis"]}
    assert told in brokers
    for service in ours().values():
        assert all(not service["depends_on"][name]["required"] for name in brokers if name in service["depends_on"])


def test_images_are_pinned_to_a_release() -> None:
    base = re.findall(r"^FROM (\S+)$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    images = [*base, *(service["image"] for service in services().values())]

    assert [image for image in images if not re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", image)] == []


def test_ports_are_two_and_open_to_this_machine_alone() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]

    assert sorted(ports) == ["127.0.0.1:8001:8000", "127.0.0.1:8002:8000"]


def test_build_finds_the_files_that_it_copies() -> None:
    build = services()["migrate"]["build"]
    context = (FOLDER / build["context"]).resolve()
    dockerfile = context / build["dockerfile"]
    copied = re.findall(r"^COPY (.*) \S+$", dockerfile.read_text(), re.MULTILINE)
    let_in = (FOLDER / "Dockerfile.dockerignore").read_text()

    assert context == ROOT
    for name in " ".join(copied).split():
        assert (context / name).exists(), name
        assert f"\n!{name}\n" in let_in
