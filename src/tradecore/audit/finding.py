"""What a verification says when something is wrong."""

from __future__ import annotations

import attrs


@attrs.frozen
class Finding:
    """Something that is wrong: which check says so, of what, and a sentence."""

    check: str
    subject: str
    message: str
