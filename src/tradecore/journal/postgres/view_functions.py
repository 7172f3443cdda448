"""The functions that write views: rows and cursors in one statement.

A view's rows are those of its slot, a number that no other set of rows ever had. What an old slot holds is swept later.
"""

from __future__ import annotations

WRITE_FUNCTION = """
CREATE FUNCTION tradecore_view_write(
    names text[], shapes text[], afters bigint[], uptos bigint[], editions bigint[],
    put_to bigint[], keys bytea[], vals bytea[], gone_from bigint[], gone bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $write$
DECLARE
    standing record;
    slots bigint[];
BEGIN
    FOR i IN 1 .. cardinality(names) LOOP  -- in the order of names: two updaters never wait for each other
        SELECT v.position, v.shape, v.slot INTO standing FROM tradecore_views v WHERE v.view = names[i] FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO tradecore_views (view, shape, position, slot)
            VALUES (names[i], shapes[i], 0, nextval('tradecore_view_slots')) ON CONFLICT (view) DO NOTHING;
            SELECT v.position, v.shape, v.slot INTO standing FROM tradecore_views v WHERE v.view = names[i] FOR UPDATE;
            IF editions[i] = 0 THEN
                editions[i] := standing.slot;
            END IF;
        END IF;
        IF standing.position IS DISTINCT FROM afters[i] OR standing.shape IS DISTINCT FROM shapes[i]
            OR editions[i] NOT IN (-1, standing.slot)
        THEN
            RAISE EXCEPTION 'view % stands at position %, not %, or in another shape',
                names[i], standing.position, afters[i] USING ERRCODE = 'TC001';
        END IF;
        slots[i] := standing.slot;
        UPDATE tradecore_views v SET position = uptos[i] WHERE v.view = names[i];
    END LOOP;
    INSERT INTO tradecore_view_rows (slot, key, value)
    SELECT slots[u.place], u.key, u.value FROM unnest(put_to, keys, vals) AS u (place, key, value)
    ON CONFLICT (slot, key) DO UPDATE SET value = excluded.value;
    IF cardinality(gone) > 0 THEN
        DELETE FROM tradecore_view_rows r USING unnest(gone_from, gone) AS u (place, key)
        WHERE r.slot = slots[u.place] AND r.key = u.key;
    END IF;
    RETURN 1;
END
$write$
"""

REPLACE_FUNCTION = """
CREATE FUNCTION tradecore_view_replace(
    a_view text, a_shape text, upto bigint, keys bytea[], vals bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $replace$
DECLARE
    fresh bigint := nextval('tradecore_view_slots');
BEGIN
    INSERT INTO tradecore_view_rows (slot, key, value)
    SELECT fresh, u.key, u.value FROM unnest(keys, vals) AS u (key, value);
    INSERT INTO tradecore_views (view, shape, position, slot) VALUES (a_view, a_shape, upto, fresh)
    ON CONFLICT (view) DO UPDATE SET shape = excluded.shape, position = excluded.position, slot = excluded.slot;
    RETURN upto;
END
$replace$
"""

ADOPT_FUNCTION = """
CREATE FUNCTION tradecore_view_adopt(a_view text, built text) RETURNS bigint LANGUAGE plpgsql AS $adopt$
DECLARE
    standing record;
BEGIN
    DELETE FROM tradecore_views v WHERE v.view = built RETURNING v.shape, v.position, v.slot INTO standing;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no view % to adopt as %', built, a_view USING ERRCODE = 'TC001';
    END IF;
    INSERT INTO tradecore_views (view, shape, position, slot)
    VALUES (a_view, standing.shape, standing.position, standing.slot)
    ON CONFLICT (view) DO UPDATE SET shape = excluded.shape, position = excluded.position, slot = excluded.slot;
    RETURN 1;
END
$adopt$
"""

SWEEP_FUNCTION = """
CREATE FUNCTION tradecore_view_sweep(a_slot bigint, most bigint) RETURNS bigint LANGUAGE plpgsql AS $sweep$
DECLARE
    swept bigint;
BEGIN
    DELETE FROM tradecore_view_rows r
    WHERE r.slot = a_slot AND NOT EXISTS (SELECT FROM tradecore_views v WHERE v.slot = a_slot) AND r.key <= (
        SELECT k.key FROM (
            SELECT o.key FROM tradecore_view_rows o WHERE o.slot = a_slot ORDER BY o.key LIMIT most
        ) AS k ORDER BY k.key DESC LIMIT 1
    );
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept;
END
$sweep$
"""
