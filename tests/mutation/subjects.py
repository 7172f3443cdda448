"""What can be asked about: the modules of a subject, and the folders of tests that are to find their mutants."""

from __future__ import annotations

from pathlib import Path

import attrs

_TESTS = Path(__file__).parents[1]
_RISK = tuple((_TESTS / "risk" / "modules.txt").read_text().split())


@attrs.frozen
class Subject:
    """`modules` are patterns below the library; `folders` of tests, or files of them, that need no server."""

    modules: tuple[str, ...]
    folders: tuple[str, ...]

    def files(self, root: Path) -> list[Path]:
        """The modules; those of `risk` belong to no other subject."""
        taken = set() if self.modules == _RISK else {path for pattern in _RISK for path in root.glob(pattern)}
        found = [path for pattern in self.modules for path in sorted(root.glob(pattern))]
        return [path for path in found if path.name != "__init__.py" and path not in taken]

    def tests(self) -> list[str]:
        """The folders, as pytest takes them."""
        return [str(_TESTS / folder) for folder in self.folders]


_DOMAIN = (
    "order", "order_state", "order_plan", "fill", "trade", "account", "account_state", "position", "restating",
    "values", "nanos", "terms", "holding",
)  # fmt: skip


_OF_LEDGER = ("ledger", "risk", "sagas", "cycle/test_books_moved.py")

_OUTBOX = (
    "delivery/test_one_lane.py",
    "delivery/test_edges_of_the_caller.py",
    "delivery/test_edges_of_the_calls.py",
    "delivery/test_edges_of_the_lane.py",
    "delivery/test_edges_of_the_outbox.py",
    "delivery/test_edges_of_the_queue.py",
    "delivery/test_work.py",
    "delivery/test_deaths.py",
    "delivery/test_hands.py",
    "delivery/test_halted.py",
    "delivery/test_bare.py",
    "delivery/test_schedule.py",
    "delivery/test_wrong_body.py",
    "delivery/test_early_legs.py",
    "delivery/test_edges_of_the_working_set.py",
    "delivery/test_looking_for_legs.py",
    "delivery/test_what_an_answer_means.py",
    "delivery/test_what_an_order_needs.py",
    *(f"review/test_{name}.py" for name in ("truth_review", "comparing", "two_runners", "live_pace", "stale_answers")),
    *(
        f"risk/test_{name}.py"
        for name in ("switch", "approvals", "edges_of_flattening", "stories", "corners", "troubles")
    ),
)

_INBOX = (
    "delivery/test_reading_again.py",
    "delivery/test_taking_reports.py",
    "delivery/test_undecided_corrections.py",
    "delivery/test_whose_order.py",
    "delivery/test_early_legs.py",
    *(
        f"review/test_{name}.py"
        for name in (
            "account_with_a_past",
            "comparing",
            "fills_behind_the_watermark",
            "foreign_orders",
            "late_arrival",
            "sold_elsewhere_review",
            "stale_answers",
            "status_moves_forward",
            "truth_review",
            "wrong_account",
        )
    ),
)

_OF_DOMAIN = tuple(
    dict.fromkeys(("domain", "ledger", "risk", "books", "sagas", "cycle/test_books_moved.py", *_INBOX, *_OUTBOX))
)

SUBJECTS = {
    "risk": Subject(_RISK, ("risk", "domain")),
    "outbox": Subject(("outbox/*.py",), _OUTBOX),
    "ledger": Subject(("ledger.py", "draft.py", "planning.py"), _OF_LEDGER),
    "inbox": Subject(("inbox.py", "intake.py"), _INBOX),
    "journal": Subject(("journal/*.py", "journal/memory/*.py", "journal/sqlite/*.py"), ("journal",)),
    "domain": Subject(tuple(f"domain/{name}.py" for name in _DOMAIN), _OF_DOMAIN),
}
