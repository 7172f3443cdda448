"""A proof is believed by a script that knows nothing of tradecore, and only if nothing in it was changed."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.audit.forger import Forger
from tradecore.audit.proof import prove
from tradecore.errors import CorruptLedger, InputError
from tradecore.journal import open_journal

SCRIPT = Path(__file__).parents[2] / "examples" / "verify_proof.py"
EDIT = "UPDATE events SET state = CAST(json_set(CAST(state AS TEXT), '$.actor', 'me') AS BLOB) WHERE position = 9"


def _proof(forger: Forger, position: int) -> dict[str, Any]:
    with closing(open_journal(forger.url)) as journal:
        return prove(journal, position, forger.file.read()[0])


def _check(forger: Forger, proof: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    file = forger.path.with_name("proof.json")
    file.write_text(json.dumps(proof))
    return subprocess.run(  # isolated: nothing but the standard library can be imported
        [sys.executable, "-I", "-S", str(SCRIPT), str(file), str(forger.file.path)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_is_short_and_stands_alone() -> None:
    source = SCRIPT.read_text()
    assert len(source.splitlines()) < 80
    assert [line for line in source.splitlines() if line.startswith(("import", "from"))] == [
        "import hashlib",
        "import json",
        "import struct",
        "import sys",
        "from pathlib import Path",
    ]


def test_events_all_over_the_ledger_are_proved(forger: Forger) -> None:
    forger.anchor()
    forger.trade_on()
    head = forger.anchor().position
    for position in {1, 2, 3, head // 2, head - 3, head - 1, head}:
        done = _check(forger, _proof(forger, position))
        assert done.returncode == 0, done.stdout
        assert done.stdout.startswith(f"proved: position {position} of ledger")


def test_a_proof_tells_the_event_as_it_is_stored_and_no_other(forger: Forger) -> None:
    head = forger.anchor().position
    proof = _proof(forger, 9)
    with closing(open_journal(forger.url)) as journal:
        (event,) = journal.links(8, 1)
    assert proof["event"]["state"].encode() == event.state
    assert len(proof["path"]) <= head.bit_length()
    assert len(json.dumps(proof)) < 2000 + len(event.state)


def _raised(text: str) -> str:
    """The same text with its last hexadecimal digit changed."""
    return text[:-1] + format((int(text[-1], 16) + 1) % 16, "x")


@pytest.mark.parametrize(
    "place",
    [
        "state",
        "stream",
        "name",
        "version",
        "position",
        "before",
        "path",
        "shorter",
        "longer",
        "root",
        "anchor",
        "format",
    ],
)
def test_a_tampered_proof_is_refused(forger: Forger, place: str) -> None:
    forger.anchor()
    proof = _proof(forger, 9)
    event, path = proof["event"], proof["path"]
    match place:
        case "state" | "stream" | "name":
            event[place] = event[place].replace("a", "b", 1) if "a" in event[place] else event[place] + "x"
        case "version" | "position":
            event[place] += 1
        case "before":
            proof["before"] = _raised(proof["before"])
        case "path":
            path[0] = _raised(path[0])
        case "shorter":
            path.pop()
        case "longer":
            path.append(path[0])
        case "root":
            proof["anchor"]["root"] = _raised(proof["anchor"]["root"])
        case "anchor":
            proof["anchor"]["position"] += 1
        case _:
            proof["format"] = "another"
    done = _check(forger, proof)
    assert done.returncode == 1
    assert done.stdout.startswith("refused: ")
    assert done.stderr == ""


def test_a_proof_made_of_a_forged_ledger_is_refused_by_whoever_kept_the_anchors(forger: Forger) -> None:
    forger.anchor()
    kept = forger.file.path.read_bytes()
    forger.run(EDIT)
    forger.forge_links()
    forger.file.path.unlink()
    forger.anchor()
    proof = _proof(forger, 9)
    assert _check(forger, proof).returncode == 0, "to its own anchors a forged ledger is honest"
    forger.file.path.write_bytes(kept)
    done = _check(forger, proof)
    assert (done.returncode, "not among the trusted" in done.stdout) == (1, True)


def test_what_no_anchor_covers_cannot_be_proved(forger: Forger) -> None:
    head = forger.anchor().position
    forger.trade_on()
    for position in (0, -1, head + 1):
        with pytest.raises(InputError, match="anchor"):
            _proof(forger, position)


@pytest.mark.parametrize("change", ["forge", "edit", "cut", "link"])
def test_a_ledger_that_is_not_what_was_anchored_proves_nothing(forger: Forger, change: str) -> None:
    forger.anchor()
    match change:
        case "forge":
            forger.run(EDIT)
            forger.forge_links()
        case "edit":
            forger.run(EDIT)
        case "cut":
            forger.cut(20)
        case _:
            forger.run("UPDATE events SET chain = zeroblob(32) WHERE position = 20")
    with pytest.raises(CorruptLedger):
        _proof(forger, 9)
