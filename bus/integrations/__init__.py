"""Thin joints to other libraries; each needs its extra."""
