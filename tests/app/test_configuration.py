"""Whatever is wrong with a setting stops the start, and says how to mend it."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Config, Flask

from bus import BusError, operations_of
from modular_app.app import create_app
from modular_app.databases import database_urls
from modular_app.sources import ConfigurationError, Sources
from tests.app.conftest import MakeApp

SERVER = "postgresql+psycopg://ada:secret@db"


def refused(config: dict[str, Any] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        create_app(config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"BUS_URL": ""}, ["BUS_URL", "no URL", "inprocess://"]),
        ({"BUS_URL": 7}, ["BUS_URL", "7", "no URL"]),
        ({"BUS_URL": "inproces://"}, ["'inproces'", "did you mean inprocess://?"]),
        ({"BUS_URL": "inprocess"}, ["'inprocess'", "inprocess://"]),
        ({"BUS_URL": "inprocess://here"}, ["inprocess://here", "nothing behind it"]),
        ({"BUS_URL": "kafka://broker"}, ["kafka://broker", "inprocess://"]),
        ({"BUS_URL": "dramatiq+redis://"}, ["names no host", "dramatiq+redis://HOST"]),
        ({"BUS_URL": "dramatiq+ampq://broker"}, ["'dramatiq+ampq'", "did you mean dramatiq+amqp"]),
        ({"BUS_SIGNING_KEYS": "secret"}, ["BUS_SIGNING_KEYS", "32 characters", "openssl rand -hex 32"]),
        ({"BUS_SIGNING_KEYS": ","}, ["BUS_SIGNING_KEYS", "names no secret", "openssl rand -hex 32"]),
        ({"BUS_SIGNING_KEYS": ["k" * 32] * 3}, ["BUS_SIGNING_KEYS", "3 signing keys"]),
        ({"BUS_RETENTION": 30}, ["BUS_RETENTION", "'30' is no duration", "30d"]),
        ({"BUS_GRACE": 20}, ["BUS_GRACE", "'20' is no duration", "20s"]),
        ({"BUS_RETENTION": "1h"}, ["BUS_RETENTION", "shorter than 2:00:00"]),
        ({"BUS_URI": "inprocess://"}, ["BUS_URI", "did you mean BUS_URL?"]),
        ({"BUS_THREADS": 4}, ["BUS_THREADS", "BUS_GRACE, BUS_RETENTION, BUS_SIGNING_KEYS, BUS_URL, BUS_WORKERS"]),
        ({"BUS_WORKERS": 4}, ["BUS_WORKERS to 4", "SQLite", "one writer", "PostgreSQL"]),
        ({"BUS_WORKERS": 0}, ["BUS_WORKERS to 0", "from 1 to 64, usually 4"]),
        ({"BUS_WORKERS": "many"}, ["BUS_WORKERS to 'many'", "from 1 to 64, usually 4"]),
        ({"BUS_WORKERS": 65}, ["BUS_WORKERS to 65", "from 1 to 64, usually 4"]),
        ({"DATABASE_URL": "postgresql://db/shop"}, ["psycopg 3", "postgresql+psycopg://USER@HOST/DATABASE"]),
        ({"DATABASE_URL": "postgres://db/shop"}, ["psycopg 3", "postgresql+psycopg://USER@HOST/DATABASE"]),
        ({"DATABASE_URL": "postgresq+psycopg://db/shop"}, ["did you mean postgresql+psycopg://?"]),
        ({"DATABASE_URL": "postgresql+psycopg://db"}, ["names no database", "postgresql+psycopg://USER@HOST"]),
        ({"DATABASE_URL": "postgresql+psycopg://db/shop?schema=s"}, ["one schema for all", "leave schema out"]),
        ({"DATABSE_URL": "sqlite:///x.db"}, ["DATABSE_URL", "did you mean DATABASE_URL?"]),
        ({"DATABASE": {}}, ["DATABASE", "did you mean DATABASES?"]),
        ({"MODULE": "order"}, ["MODULE", "did you mean MODULES?"]),
        ({"MODULES": "order,kichen"}, ["'kichen'", "did you mean kitchen?"]),
        ({"MODULES": "billing"}, ["'billing'", "order, restaurant, kitchen"]),
        ({"MODULES": ""}, ["MODULES", "order, restaurant, kitchen"]),
        ({"DATABASE_URL": ""}, ["DATABASE_URL", "no URL"]),
        ({"DATABASE_URL": 5}, ["DATABASE_URL", "5", "no URL"]),
        ({"DATABASE_URL": "order.db"}, ["order.db", "cannot be read as a URL"]),
        ({"DATABASE_URL": "sqlite:///all.db"}, ["all.db", "{module}"]),
        ({"DATABASE_URL": "sqlite://"}, ["in memory", "name a file"]),
        ({"DATABASE_URL": "sqlite:///:memory:"}, ["in memory", "name a file"]),
        ({"DATABASE_URL": "sqlit:///{module}.db"}, ["'sqlit'", "did you mean sqlite?"]),
        ({"DATABASE_URL": "sqlite:////no/such/folder/{module}.db"}, ["mkdir -p /no/such/folder"]),
        ({"DATABASES": "sqlite:///x.db"}, ["DATABASES", "DATABASES__order"]),
        ({"DATABASES": {"kichen": "sqlite:///k.db"}}, ["'kichen'", "did you mean kitchen?"]),
        ({"DATABASES": {"kitchen": ""}}, ["DATABASES__kitchen", "no URL"]),
        ({"DATABASES": {"kitchen": "sqlite://"}}, ["DATABASES__kitchen", "in memory"]),
    ],
)
def test_wrong_setting_is_named_with_its_mend(config: dict[str, Any], parts: list[str]) -> None:
    message = refused(config)

    assert "the mapping given to create_app" in message
    assert [part for part in parts if part not in message] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLASK_BUS_URL", "inproces://"),
        ("FLASK_BUS_ULR", "inprocess://"),
        ("FLASK_DATABSE_URL", "sqlite:///{module}.db"),
        ("FLASK_DATABASE_URL", "sqlite:///all.db"),
        ("FLASK_DATABASES__kichen", "sqlite:///kitchen.db"),
        ("FLASK_DATABASES__kitchen", "sqlite://"),
        ("FLASK_MODULES", "123"),
    ],
)
def test_wrong_setting_of_the_environment_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert f"the environment ({name}) sets" in refused()


def test_broker_that_others_can_reach_is_refused_without_a_key() -> None:
    with pytest.raises(BusError, match="BUS_SIGNING_KEYS"):
        create_app({"BUS_URL": "dramatiq+amqp://broker"})


def test_server_that_does_not_answer_is_told_with_the_mend_and_without_the_password() -> None:
    message = refused({"DATABASE_URL": "postgresql+psycopg://ada:secret@127.0.0.1:1/shop"})

    assert "'order', postgresql+psycopg://ada:***@127.0.0.1:1/shop?schema=order, cannot be used" in message
    assert "createdb shop" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"DATABASE_URL": f"{SERVER}/shop"}, f"{SERVER}/shop?schema=kitchen"),
        ({"DATABASE_URL": f"{SERVER}/{{module}}"}, f"{SERVER}/kitchen"),
        ({"DATABASE_URL": f"{SERVER}/shop?schema=my_{{module}}"}, f"{SERVER}/shop?schema=my_kitchen"),
        ({"DATABASE_URL": f"{SERVER}/shop", "DATABASES": {"kitchen": f"{SERVER}/oven"}}, f"{SERVER}/oven"),
    ],
)
def test_modules_have_schemas_of_their_own_or_databases_of_their_own(
    config: dict[str, Any], url: str, tmp_path: Path
) -> None:
    sources = Sources(config, {})

    urls = database_urls(Config(tmp_path, config), sources, known=("order", "kitchen"), instance=tmp_path)

    assert urls["kitchen"] == url


def test_two_modules_in_one_schema_are_refused() -> None:
    url = f"{SERVER}/shop"

    message = refused({"DATABASES": {"order": url, "kitchen": f"{url}?connect_timeout=3"}})

    assert "order and kitchen have one database" in message
    assert "another schema" in message
    assert "secret" not in message


def test_missing_driver_is_an_error_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    assert "pip install 'modular-bus[postgresql]'" in refused({"DATABASE_URL": f"{SERVER}/shop"})


def test_password_of_a_broker_is_not_shown() -> None:
    assert "secret" not in refused({"BUS_URL": "dramatiq+radis://:secret@broker/0"})


def test_two_modules_with_one_database_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/one.db"

    message = refused({"DATABASES": {"order": url, "kitchen": url}})

    assert "order and kitchen have one database" in message


def test_one_module_can_have_a_database_elsewhere(make_app: MakeApp, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.db"

    make_app(DATABASES={"kitchen": f"sqlite:///{file}"})

    assert file.exists()
    assert not (tmp_path / "kitchen.db").exists()


def test_retention_is_set(make_app: MakeApp) -> None:
    bus = make_app(BUS_RETENTION="45d").extensions["modular-app"].bus

    assert operations_of(bus).retention == timedelta(days=45)


def test_grace_is_set(make_app: MakeApp) -> None:
    assert make_app(BUS_GRACE="1m30s").extensions["modular-app"].bus.grace == 90.0


def test_grace_is_twenty_seconds_unless_it_is_set(app: Flask) -> None:
    assert app.extensions["modular-app"].bus.grace == 20.0


def test_what_the_caller_gives_wins_over_the_environment(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_MODULES", "billing")

    app = make_app(MODULES="order, kitchen,restaurant")

    assert app.extensions["modular-app"].settings.modules == ("order", "restaurant", "kitchen")


def test_module_without_its_listeners_is_refused_in_one_process(make_app: MakeApp) -> None:
    with pytest.raises(BusError, match="not hosted here"):
        make_app(MODULES="order")


def test_other_keys_of_flask_are_left_alone(make_app: MakeApp) -> None:
    assert make_app(SECRET_KEY="of the test", DEBUG=False).secret_key == "of the test"


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("DATABASE_URL", "postgresql://anna:ge@heim@host/x"),
        ("DATABASE_URL", "postgresql://anna:geheim@host:noport/x"),
        ("DATABASES", "postgresql://anna:geheim@host/x"),
        ("BUS_URL", "redis://anna:p/w@geheim@host/0"),
    ],
)
def test_password_in_a_wrong_setting_is_not_shown(key: str, url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        create_app({key: url})

    assert "heim" not in str(refused.value)
    assert "***@" in str(refused.value)


def test_one_file_for_two_modules_is_refused_however_it_is_written(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    urls = {"order": f"sqlite:///{tmp_path}/d/x.db", "kitchen": f"sqlite:///{tmp_path}/d/../d/x.db"}

    with pytest.raises(ConfigurationError, match="have one database"):
        make_app(DATABASES=urls)


def test_file_that_is_no_database_is_refused_by_module_and_name(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "kitchen.db").write_text("no database" * 1000)

    with pytest.raises(ConfigurationError, match=r"the database of 'kitchen', .*kitchen\.db, cannot be used"):
        make_app()


def test_driver_of_another_kind_is_refused_with_the_one_that_works(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match=r"no database 'sqlite\+aiosqlite'; did you mean sqlite://"):
        make_app(DATABASES={"kitchen": "sqlite+aiosqlite:///x.db"})
