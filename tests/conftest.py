pytest_plugins = ["bus.testing.plugin", "tests.databases", "tests.own_server", "tests.brokers", "tests.telling"]
