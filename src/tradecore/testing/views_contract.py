"""What every view store must do, as tests; part of `tradecore.testing.journal_contract`."""

from __future__ import annotations

import pytest

from tradecore.errors import WrongVersion
from tradecore.journal.contract import Journal
from tradecore.journal.view_store import Move, ViewStore


def _standing(views: ViewStore, view: str, shape: str) -> tuple[int, dict[str, bytes]]:
    return views.cursor(view, shape), dict(views.rows(view))


_to_a = Move("a", "shape", 0, 4, {"x": b"4"})


def _to_b(shape: str, after: int) -> Move:
    return Move("b", shape, after, 4, {"old": b"2"})


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

    def test_rows_can_be_asked_for_by_the_beginning_of_their_keys(self, views: ViewStore) -> None:
        keys = ["a", "a:", "a:1", "a:\U0010ffff", "a:é", "a;", "b:1", "aa"]
        views.write("view", "shape", 0, 1, {key: key.encode() for key in keys})
        found = [key for key, _ in views.rows("view", "a:")]
        assert found == ["a:", "a:1", "a:é", "a:\U0010ffff"]
        assert list(views.rows("view", "nothing")) == []

    def test_rows_come_in_pages_too(self, views: ViewStore) -> None:
        keys = sorted(["b", "a", "B", "é", "z", "𝄞", "\uffff", ""])
        views.write("view", "shape", 0, 1, {key: key.encode() for key in keys})
        pages = [views.page("view", None, 3)]
        while pages[-1]:
            pages.append(views.page("view", pages[-1][-1][0], 3))
        assert [list(row) for page in pages for row in page] == [[key, key.encode()] for key in keys]
        assert [len(page) for page in pages] == [3, 3, 2, 0]
        assert (views.count("view"), views.count("another")) == (8, 0)

    def test_several_views_move_in_one_step(self, views: ViewStore) -> None:
        views.write("b", "shape", 0, 2, {"old": b"1"})
        views.write_all(
            [Move("b", "shape", 2, 4, {"new": b"2"}, ["old"]), Move("a", "other", 0, 4, {"old": b"3", "x": b"4"})]
        )
        assert _standing(views, "a", "other") == (4, {"old": b"3", "x": b"4"})
        assert _standing(views, "b", "shape") == (4, {"new": b"2"})

    @pytest.mark.parametrize(("shape", "after"), [("shape", 1), ("other", 2)])
    def test_when_one_of_several_cannot_move_none_does(self, views: ViewStore, shape: str, after: int) -> None:
        views.write("b", "shape", 0, 2, {"old": b"1"})
        for moves in ([_to_a, _to_b(shape, after)], [_to_b(shape, after), _to_a]):
            with pytest.raises(WrongVersion):
                views.write_all(moves)
        assert _standing(views, "a", "shape") == (0, {})
        assert _standing(views, "b", "shape") == (2, {"old": b"1"})

    def test_an_edition_lasts_until_the_rows_are_exchanged(self, views: ViewStore) -> None:
        assert views.edition("view") == 0
        views.write("view", "shape", 0, 1, {"a": b"1"})
        views.write("other", "shape", 0, 1, {"a": b"1"})
        first = views.edition("view")
        views.write("view", "shape", 1, 2, {"a": b"2"})
        assert views.edition("view") == first != 0
        views.replace("view", "shape", 2, {"a": b"2"})
        second = views.edition("view")
        views.drop("view")
        assert views.edition("view") == 0
        views.write("view", "shape", 0, 1, {})
        assert len({first, second, views.edition("view"), views.edition("other")}) == 4

    def test_a_step_from_another_edition_is_refused(self, views: ViewStore) -> None:
        views.write_all([Move("view", "shape", 0, 1, {"a": b"1"}, edition=0)])
        edition = views.edition("view")
        views.write_all([Move("view", "shape", 1, 2, {"a": b"2"}, edition=edition)])
        views.replace("view", "shape", 2, {"a": b"3"})
        for wrong in (edition, 0):
            with pytest.raises(WrongVersion):
                views.write_all([Move("view", "shape", 2, 3, {"a": b"4"}, edition=wrong)])
        assert _standing(views, "view", "shape") == (2, {"a": b"3"})

    def test_a_view_that_was_built_beside_another_takes_its_place(self, views: ViewStore) -> None:
        views.write("view", "shape", 0, 9, {"a": b"1", "b": b"2"})
        views.write("built", "new shape", 0, 4, {"b": b"3"})
        views.adopt("view", "built")
        assert _standing(views, "view", "new shape") == (4, {"b": b"3"})
        assert _standing(views, "built", "new shape") == (0, {})
        views.write("built", "shape", 0, 1, {"x": b"1"})
        assert _standing(views, "view", "new shape") == (4, {"b": b"3"})

    def test_a_view_that_is_not_there_cannot_be_adopted(self, views: ViewStore) -> None:
        views.write("view", "shape", 0, 9, {"a": b"1"})
        with pytest.raises(WrongVersion):
            views.adopt("view", "built")
        assert _standing(views, "view", "shape") == (9, {"a": b"1"})

    def test_a_dropped_view_begins_anew(self, views: ViewStore) -> None:
        views.write("view", "shape", 0, 3, {"a": b"1"})
        views.drop("view")
        views.drop("never there")
        assert _standing(views, "view", "shape") == (0, {})
        assert views.row("view", "a") is None
