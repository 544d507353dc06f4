"""What a person installs: the MCP server and the command line."""
