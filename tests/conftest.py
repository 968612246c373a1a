pytest_plugins = ["bus.testing.plugin", "tests.databases"]
