"""LlamaIndex's end of the house: takes a symposium; gives its panel as a retriever, the whole as a query engine and as a tool.

``nodes`` converts evidence without loss, ``retriever``, ``query_engine`` and ``tool`` make the three, ``events`` says what they
report to LlamaIndex's instrumentation, and ``example`` shows an agent with the tool. LlamaIndex is imported when one is made.
"""
