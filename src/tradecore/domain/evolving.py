"""The next state of something from the one before, quickly: folding a long stream consists of little else."""

from __future__ import annotations

from typing import TypeVar

State = TypeVar("State")

_new, _set = object.__new__, object.__setattr__


def changed(state: State, **values: object) -> State:
    """A copy of a frozen attrs object without slots, with some fields set anew; the old one is untouched.

    Does what `attrs.evolve` does, without calling the constructor: a fifth of the time. The fields must exist.
    """
    fields = state.__dict__
    after = fields | values
    assert len(after) == len(fields), "only fields that the state has can change"
    copy = _new(state.__class__)
    _set(copy, "__dict__", after)
    return copy
