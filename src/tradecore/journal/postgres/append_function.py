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
    former text;
    place bytea;
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
        IF former IS DISTINCT FROM streams[i] THEN  -- most events of an append are of one stream
            former := streams[i];
            place := int4send(octet_length(former)) || convert_to(former, 'UTF8');
        END IF;
        link := sha256(
            link || int8send(last + i) || int8send(versions[i]) || place
            || int4send(octet_length(names[i])) || convert_to(names[i], 'UTF8') || states[i]
        );
        links[i] := link;
    END LOOP;

    INSERT INTO events (position, originator_id, originator_version, topic, state, event_id, chain)
    SELECT last + u.place, u.stream, u.version, u.name, u.state, u.id, u.link
    FROM unnest(streams, versions, names, states, ids, links)
        WITH ORDINALITY AS u (stream, version, name, state, id, link, place);

    -- Without ids it is a plain recorder, which lets streams begin anywhere.
    IF ids IS NOT NULL THEN
        SELECT n.stream, n.low, n.high, n.amount INTO wrong FROM (
            SELECT u.stream, min(u.version) AS low, max(u.version) AS high, count(*) AS amount
            FROM unnest(streams, versions) AS u (stream, version) GROUP BY u.stream
        ) AS n
        WHERE n.high - n.low + 1 <> n.amount OR n.low < 1 OR (n.low > 1 AND NOT EXISTS (
            SELECT FROM events e WHERE e.originator_id = n.stream AND e.originator_version = n.low - 1
        )) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'stream % does not stand at version %, or its % versions up to % leave a gap',
                wrong.stream, wrong.low - 1, wrong.amount, wrong.high USING ERRCODE = 'TC001';
        END IF;
    END IF;

    PERFORM pg_notify('tradecore_' || 'events'::regclass::oid::text, '');
    RETURN last + 1;
END
$append$
"""  # noqa: S608 - the number above is all that is put in
