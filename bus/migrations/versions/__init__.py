"""The revisions of the bus's own tables, which every module's database gets before the module's own."""
