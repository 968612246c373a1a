"""The composition root: it knows every module, wires them, and decides nothing."""
