"""What counts as a question: the one check that everything asked goes through."""

from __future__ import annotations

import unicodedata

from indexes.errors import InputError
from indexes.invisible import words_of

LONGEST = 4_000


def check_question(question: str, *, latin_only: bool = False) -> str:
    """Return the question without outer white space and what is not seen, or raise an ``InputError`` that says what is wrong with it.

    Parameters
    ----------
    question
        As typed.
    latin_only
        True where the encoder reads languages in Latin script only; a question in another script is then refused,
        since its words would all be unknown and whatever was found would be arbitrary.
    """
    text = words_of(question).strip()
    if not text:
        raise InputError("The question is empty.", "Type a question, for example: What does json.dumps do?")
    if len(text) > LONGEST:
        raise InputError(
            f"The question has {len(text):,} characters; at most {LONGEST:,} are read.",
            "Shorten it. To ask about a long text, add the text as a document: `symposia add FILE --expert NAME`.",
        )
    control = next((c for c in text if unicodedata.category(c) == "Cc" and c not in "\t\n\r"), None)
    if control is not None:
        raise InputError(f"The question holds the control character U+{ord(control):04X}.", "Remove it and ask again.")
    if not any(c.isalnum() for c in text):
        raise InputError("The question holds no word and no number.", "Ask in words.")
    if latin_only:
        _check_script(text)
    return text


def _check_script(text: str) -> None:
    letters = [c for c in text if c.isalpha()]
    foreign = [
        c for c in letters if not unicodedata.name(c, "").startswith(("LATIN", "MICRO", "FEMININE", "MASCULINE"))
    ]
    if letters and len(foreign) > len(letters) / 2:
        script = unicodedata.name(foreign[0], "UNKNOWN").split()[0].capitalize()
        raise InputError(
            f"The question is written in {script} script, which the encoder in use does not read.",
            "Ask in English, or set [models] encoder to a multilingual model and rebuild the slices with it.",
        )
