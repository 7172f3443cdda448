"""The function that appends: everything that an append is, in one statement and so in one round trip."""

from __future__ import annotations

APPEND_LOCK = 5_072_854_620_270_000_000
"""Advisory lock of an append: this plus the oid of the ledger's own table, so that ledgers never meet."""

APPEND_FUNCTION = f"""
CREATE FUNCTION tradecore_append(
    ids text[], streams text[], versions bigint[], names text[], states bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $append$
DECLARE
    last bigint;
    link bytea;
    links bytea[];
    place bytea;
    title bytea;
    wrong record;
BEGIN
    IF 'off' IN (current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'))
    THEN
        RAISE EXCEPTION 'fsync, full_page_writes or synchronous_commit was switched off' USING ERRCODE = 'TC002';
    END IF;

    -- Held to the end of the transaction, which is after it is visible: positions appear in their order.
    PERFORM pg_advisory_xact_lock({APPEND_LOCK} + 'events'::regclass::oid::bigint);
    SELECT e.position, e.chain INTO last, link FROM events e ORDER BY e.position DESC LIMIT 1;
    IF NOT FOUND THEN
        last := 0;
        link := decode(repeat('00', 32), 'hex');
    END IF;

    FOR i IN 1 .. cardinality(streams) LOOP
        place := convert_to(streams[i], 'UTF8');
        title := convert_to(names[i], 'UTF8');
        link := sha256(
            link || int8send(last + i) || int8send(versions[i]) || int4send(length(place)) || place
            || int4send(length(title)) || title || states[i]
        );
        links[i] := link;
    END LOOP;

    INSERT INTO events (position, originator_id, originator_version, topic, state, event_id, chain)
    SELECT last + u.place, u.stream, u.version, u.name, u.state, u.id, u.link
    FROM unnest(streams, versions, names, states, ids, links)
        WITH ORDINALITY AS u (stream, version, name, state, id, link, place);

    -- Without ids it is a plain recorder, which lets streams begin anywhere.
    IF ids IS NOT NULL THEN
        SELECT u.stream, u.version INTO wrong FROM unnest(streams, versions) AS u (stream, version)
        WHERE u.version > 1 AND NOT EXISTS (
            SELECT FROM events e WHERE e.originator_id = u.stream AND e.originator_version = u.version - 1
        ) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'stream % has no version % that % could follow', wrong.stream, wrong.version - 1,
                wrong.version USING ERRCODE = 'TC001';
        END IF;
    END IF;

    PERFORM pg_notify('tradecore_' || 'events'::regclass::oid::text, '');
    RETURN last + 1;
END
$append$
"""  # noqa: S608 - the number above is all that is put in
