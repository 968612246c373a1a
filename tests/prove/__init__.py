"""The long proofs, with full figures: `python -m tests.prove` runs all of them, `python -m tests.prove NAME…` some.

A proof is a module of this package with a function `prove`, which yields what it finds as `Finding`s; its docstring
says what is proved. Whatever else it needs it starts and removes itself.
"""
