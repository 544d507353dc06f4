"""Stands in for a Python that was built without ctypes."""

raise ImportError
