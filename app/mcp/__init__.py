"""The MCP server: takes calls of agents' tools; gives answers, passages, experts and routes, as text and as typed data.

``results`` says what comes back, ``tools`` does the work, ``server`` declares it to clients, ``access`` finds out who
calls, over stdio or HTTP. It needs the extra ``mcp``.
"""
