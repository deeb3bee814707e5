"""Telemetry: takes what a question reports while it is answered; gives a log line, and spans where they are switched on.

``trace`` gives every question an id and spans to whoever wants to measure; ``question`` watches the events of a question;
``stages`` measures what lies in other rooms; ``logs`` writes text or JSON lines; ``open_telemetry`` sends spans away. Nothing
leaves the machine and no text of a question, passage or answer is reported, unless ``[telemetry]`` says so.
"""
