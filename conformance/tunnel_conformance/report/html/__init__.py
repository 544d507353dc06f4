"""The report as a folder of pages: they need no server, no script and nothing from elsewhere."""
