"""What every view store must do, as tests; part of `tradecore.testing.journal_contract`."""

from __future__ import annotations

import pytest

from tradecore.errors import WrongVersion
from tradecore.journal.contract import Journal, ViewStore


def _standing(views: ViewStore, view: str, shape: str) -> tuple[int, dict[str, bytes]]:
    return views.cursor(view, shape), dict(views.rows(view))


class ViewStoreContract:
    """The promises of `ViewStore`, on the `journal` fixture."""

    @pytest.fixture
    def views(self, journal: Journal) -> ViewStore:
        """The views of an empty journal."""
        return journal.views

    def test_an_absent_view_stands_at_zero(self, views: ViewStore) -> None:
        assert _standing(views, "view", "shape") == (0, {})
        assert views.row("view", "key") is None

    def test_rows_and_cursor_move_together(self, views: ViewStore) -> None:
        views.write("view", "shape", 0, 3, {"a": b"1", "b": b"2"})
        views.write("view", "shape", 3, 5, {"b": b"\x00\xff", "c": b""}, deletes=["a", "never there"])
        assert _standing(views, "view", "shape") == (5, {"b": b"\x00\xff", "c": b""})
        assert views.row("view", "b") == b"\x00\xff"
        assert views.row("view", "a") is None

    def test_a_view_may_move_without_rows(self, views: ViewStore) -> None:
        views.write("view", "shape", 0, 7, {})
        assert _standing(views, "view", "shape") == (7, {})

    @pytest.mark.parametrize(("shape", "after"), [("shape", 0), ("shape", 2), ("shape", 4), ("other", 3), ("other", 0)])
    def test_the_slower_of_two_updaters_changes_nothing(self, views: ViewStore, shape: str, after: int) -> None:
        views.write("view", "shape", 0, 3, {"a": b"1"})
        with pytest.raises(WrongVersion):
            views.write("view", shape, after, 9, {"a": b"late", "b": b"late"}, deletes=["a"])
        assert _standing(views, "view", "shape") == (3, {"a": b"1"})

    def test_another_shape_drops_the_view_and_only_that(self, views: ViewStore) -> None:
        views.write("view", "shape", 0, 3, {"a": b"1"})
        views.write("other", "shape", 0, 2, {"a": b"2"})
        assert _standing(views, "view", "new shape") == (0, {})
        assert _standing(views, "view", "shape") == (0, {})
        assert _standing(views, "other", "shape") == (2, {"a": b"2"})
        views.write("view", "new shape", 0, 1, {"b": b"3"})
        assert _standing(views, "view", "new shape") == (1, {"b": b"3"})

    def test_a_rebuilt_view_takes_the_place_of_the_old_one(self, views: ViewStore) -> None:
        views.write("view", "shape", 0, 9, {"a": b"1", "b": b"2"})
        views.replace("view", "new shape", 4, {"b": b"3"})
        assert _standing(views, "view", "new shape") == (4, {"b": b"3"})
        with pytest.raises(WrongVersion):
            views.write("view", "shape", 9, 10, {})

    def test_rows_come_by_key_and_as_of_now(self, views: ViewStore) -> None:
        keys = ["b", "a", "B", "é", "z", "𝄞", "\uffff", ""]
        views.write("view", "shape", 0, 1, {key: key.encode() for key in keys})
        rows = views.rows("view")
        views.write("view", "shape", 1, 2, {"later": b""}, deletes=["a"])
        assert list(rows) == [(key, key.encode()) for key in sorted(keys)]
