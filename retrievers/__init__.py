"""In: a question. Out: a route and ranked evidence.

The expert, the router and its pilots, the gate, calibration, fusion, and the panel that runs them live here.
"""
