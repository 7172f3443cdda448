"""`tradecore anchor` and `tradecore proof`, and what `tradecore verify` makes of anchors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.audit.forger import Forger
from tests.cli.terminal import Terminal
from tests.views.vandal import trade_for_an_hour


@pytest.fixture
def beside(terminal: Terminal) -> Path:
    """The anchor file of a ledger with an hour of trading in it."""
    terminal.trade(trade_for_an_hour)
    return terminal.path.with_name("tradecore.db.anchors")


def test_anchors_go_beside_the_ledger_line_by_line(terminal: Terminal, beside: Path) -> None:
    (told,) = terminal.json("anchor")
    said = terminal.run("anchor")
    assert said.code == 0
    assert f"anchored position {told['position']}" in said.out
    lines = [json.loads(line) for line in beside.read_text().splitlines()]
    assert lines[0] == told
    assert lines[1]["chain"] == told["chain"]


def test_verify_takes_the_anchors_beside_the_ledger(terminal: Terminal, beside: Path) -> None:
    assert "no anchors" in terminal.run("verify").err
    terminal.run("anchor")
    said = terminal.run("verify")
    assert (said.code, said.err) == (0, "")
    assert "1 anchors" in said.out
    Forger(terminal.path).cut(20)
    said = terminal.run("verify", "--json")
    assert said.code == 1
    assert "rewind" in {finding["check"] for finding in said.objects}


def test_anchors_can_be_kept_elsewhere(terminal: Terminal, beside: Path, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    assert terminal.run("anchor", "--to", elsewhere).code == 0
    assert not beside.exists()
    assert terminal.run("verify", "--anchors", elsewhere).err == ""
    Forger(terminal.path).cut(20)
    assert terminal.run("verify", "--anchors", elsewhere).code == 1
    assert terminal.run("anchor", "--to", elsewhere).code == 1


def test_a_damaged_anchor_file_is_a_finding_and_is_not_added_to(terminal: Terminal, beside: Path) -> None:
    beside.write_text("nonsense\n")
    said = terminal.run("verify", "--json")
    assert [finding["check"] for finding in said.objects] == ["anchor file"]
    said = terminal.run("anchor")
    assert (said.code, "line 1" in said.err) == (1, True)
    assert beside.read_text() == "nonsense\n"


def test_named_anchors_must_exist(terminal: Terminal, beside: Path) -> None:
    for words in (("verify",), ("proof", "1")):
        said = terminal.run(*words, "--anchors", "nowhere")
        assert (said.code, "nowhere" in said.err) == (2, True)


def test_a_ledger_in_memory_cannot_be_anchored_from_here(terminal: Terminal) -> None:
    assert terminal.run("anchor", "--ledger", "memory:").code == 2


def test_a_proof_goes_to_stdout_or_into_a_file(terminal: Terminal, beside: Path, tmp_path: Path) -> None:
    terminal.run("anchor")
    said = terminal.run("proof", "9")
    assert said.code == 0
    assert json.loads(said.out)["event"]["position"] == 9
    assert terminal.run("proof", "9", "--to", str(tmp_path / "proof.json")).code == 0
    assert json.loads((tmp_path / "proof.json").read_text()) == json.loads(said.out)
    assert terminal.run("proof", "9", "--to", str(tmp_path / "no" / "proof.json")).code == 1


@pytest.mark.parametrize("position", ["0", "-1", "1.5", "x", "99999"])
def test_what_is_no_anchored_position_is_refused(terminal: Terminal, beside: Path, position: str) -> None:
    terminal.run("anchor")
    assert terminal.run("proof", position).code == 2


def test_without_anchors_there_is_no_proof(terminal: Terminal, beside: Path) -> None:
    said = terminal.run("proof", "9")
    assert (said.code, "tradecore anchor" in said.err) == (2, True)
