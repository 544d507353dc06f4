"""The person's window: a page on this machine that shows a tunnel, and lets its person step in."""
