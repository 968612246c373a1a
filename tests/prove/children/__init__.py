"""Processes that proofs start."""
