"""The archive for programs.

api.py        the JSON API
openapi.py    its description
assistant.py  the archive for AI assistants (MCP)
protocol.py   the same over HTTP
"""
