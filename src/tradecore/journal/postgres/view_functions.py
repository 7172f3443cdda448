"""The functions that write views: rows and cursor in one statement."""

from __future__ import annotations

_PUT = """
    INSERT INTO tradecore_view_rows (view, key, value)
    SELECT a_view, u.key, u.value FROM unnest(keys, vals) AS u (key, value)
    ON CONFLICT (view, key) DO UPDATE SET value = excluded.value;
"""

WRITE_FUNCTION = f"""
CREATE FUNCTION tradecore_view_write(
    a_view text, a_shape text, after bigint, upto bigint, keys bytea[], vals bytea[], gone bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $write$
DECLARE
    standing record;
BEGIN
    INSERT INTO tradecore_views (view, shape, position) VALUES (a_view, a_shape, 0) ON CONFLICT (view) DO NOTHING;
    SELECT v.position, v.shape INTO standing FROM tradecore_views v WHERE v.view = a_view FOR UPDATE;
    IF standing.position <> after OR standing.shape <> a_shape THEN
        RAISE EXCEPTION 'view % stands at position %, not %, or in another shape', a_view, standing.position, after
            USING ERRCODE = 'TC001';
    END IF;
    {_PUT}
    DELETE FROM tradecore_view_rows r WHERE r.view = a_view AND r.key = ANY (gone);
    UPDATE tradecore_views v SET position = upto WHERE v.view = a_view;
    RETURN upto;
END
$write$
"""  # noqa: S608 - the statement above is all that is put in

REPLACE_FUNCTION = f"""
CREATE FUNCTION tradecore_view_replace(
    a_view text, a_shape text, upto bigint, keys bytea[], vals bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $replace$
BEGIN
    INSERT INTO tradecore_views (view, shape, position) VALUES (a_view, a_shape, upto)
    ON CONFLICT (view) DO UPDATE SET shape = excluded.shape, position = excluded.position;
    DELETE FROM tradecore_view_rows r WHERE r.view = a_view;
    {_PUT}
    RETURN upto;
END
$replace$
"""  # noqa: S608 - the same

DROP_FUNCTION = """
CREATE FUNCTION tradecore_view_drop(a_view text, a_shape text) RETURNS bigint LANGUAGE plpgsql AS $drop$
BEGIN
    DELETE FROM tradecore_views v WHERE v.view = a_view AND v.shape = a_shape;
    IF FOUND THEN
        DELETE FROM tradecore_view_rows r WHERE r.view = a_view;
    END IF;
    RETURN 0;
END
$drop$
"""
