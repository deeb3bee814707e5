"""In: a question and its evidence. Out: a checked answer.

``answerer`` runs this room: ``writing`` has the draft written (by a model of ``models`` with a policy of ``policies``, token by
token in ``decoding``; or by a server, ``remote``), ``citations`` attributes and checks its sentences, ``conflicts`` looks for
sources that disagree, ``verdicts`` decides whether it may stand. ``answer`` is what flows out, ``events`` what is seen meanwhile.
"""
