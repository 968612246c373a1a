"""Deliberately wrong implementations, each under the contract that it breaks.

They are run by `test_contracts_bite.py`, and by nothing else. `breaks` names the tests that have to fail.
"""
