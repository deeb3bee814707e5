"""What the demo is checked with: our own questions, each with the experts, the passage and the words that answer it.

``questions.jsonl`` holds one question a line:

``id``
    A letter and two digits; the letter goes by kind and expert.
``question``
    What is asked.
``kind``
    ``evidence`` (one expert answers it), ``two experts`` (both halves need an answer), ``unanswerable`` (stands in no
    source), or ``no retrieval`` (a greeting, arithmetic, about the system).
``experts``
    Who must be asked.
``cite``
    Exact strings. A cited passage must contain one of them; of ``two experts`` there is one for each expert.
``keywords``
    A list of lists. Of each inner list one string must stand in the answer, in any letter case.
``note``
    What the question tries.

``gate.jsonl`` holds questions that need no retrieval, by ``kind`` (``chitchat``, ``about`` the system, ``arithmetic``), and
look-alikes that do (``domain``): what `symposia bench gate` tests the gate with. The gate's own examples stand in
``retrievers/smalltalk.txt``; none is in both.

``reproduce.yaml`` holds commands with the scores that must come out of them, for ``symposia reproduce``.
"""
