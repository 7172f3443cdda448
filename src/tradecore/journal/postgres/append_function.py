"""The functions that append: everything that an append is, in one statement and so in one round trip."""

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

APPEND_AT_FUNCTION = f"""
CREATE FUNCTION tradecore_append_at(
    ids text[], streams text[], versions bigint[], names text[], states bytea[],
    seen bigint, seen_link bytea, links bytea[]
) RETURNS bytea LANGUAGE plpgsql AS $append$
DECLARE
    last bigint;
    link bytea;
    former text;
    place bytea;
    low bigint;
    high bigint;
    wrong record;
    amount int := cardinality(streams);
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

    -- The caller made the links for the end that it knew. When somebody else was here since, they are made anew.
    IF seen IS DISTINCT FROM last OR seen_link IS DISTINCT FROM link THEN
        links := NULL;
        FOR i IN 1 .. amount LOOP
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
    END IF;

    INSERT INTO events (position, originator_id, originator_version, topic, state, event_id, chain)
    SELECT last + u.place, u.stream, u.version, u.name, u.state, u.id, u.link
    FROM unnest(streams, versions, names, states, ids, links)
        WITH ORDINALITY AS u (stream, version, name, state, id, link, place);

    -- Without ids it is a plain recorder, which lets streams begin anywhere. That versions are unique is known by now.
    IF ids IS NULL THEN
        NULL;
    ELSIF streams[1] = ALL (streams) THEN
        SELECT min(v), max(v) INTO low, high FROM unnest(versions) AS v;
        IF high - low + 1 <> amount OR low < 1 OR (low > 1 AND (
            SELECT e.position FROM events e WHERE e.originator_id = streams[1] AND e.originator_version = low - 1
        ) IS NULL) THEN
            RAISE EXCEPTION 'stream % does not stand at version %, or its % versions up to % leave a gap',
                streams[1], low - 1, amount, high USING ERRCODE = 'TC001';
        END IF;
    ELSE
        -- Not by NOT EXISTS: in a plan from when the ledger was empty that reads all of it, once, into a hash table.
        SELECT n.stream, n.low, n.high, n.amount INTO wrong FROM (
            SELECT u.stream, min(u.version) AS low, max(u.version) AS high, count(*) AS amount
            FROM unnest(streams, versions) AS u (stream, version) GROUP BY u.stream
        ) AS n
        WHERE n.high - n.low + 1 <> n.amount OR n.low < 1 OR (n.low > 1 AND (
            SELECT e.position FROM events e WHERE e.originator_id = n.stream AND e.originator_version = n.low - 1
        ) IS NULL) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'stream % does not stand at version %, or its % versions up to % leave a gap',
                wrong.stream, wrong.low - 1, wrong.amount, wrong.high USING ERRCODE = 'TC001';
        END IF;
    END IF;

    PERFORM pg_notify('tradecore_' || 'events'::regclass::oid::text, (last + amount)::text);
    RETURN int8send(last + 1) || links[amount];
END
$append$
"""  # noqa: S608 - the number above is all that is put in
"""Returns the first position and the last link."""

APPEND_WHILE_FUNCTION = f"""
CREATE FUNCTION tradecore_append_while(
    still text[], at_versions bigint[],
    ids text[], streams text[], versions bigint[], names text[], states bytea[],
    seen bigint, seen_link bytea, links bytea[]
) RETURNS bytea LANGUAGE plpgsql AS $append$
DECLARE
    version bigint;
BEGIN
    -- Under the lock of every append, so that what is read here stays so until this one is there.
    PERFORM pg_advisory_xact_lock({APPEND_LOCK} + 'events'::regclass::oid::bigint);
    FOR i IN 1 .. cardinality(still) LOOP
        SELECT e.originator_version INTO version FROM events e WHERE e.originator_id = still[i]
        ORDER BY e.originator_version DESC LIMIT 1;
        IF coalesce(version, 0) <> at_versions[i] THEN
            RAISE EXCEPTION 'stream % does not stand at version % any more', still[i], at_versions[i]
                USING ERRCODE = 'TC001';
        END IF;
    END LOOP;
    RETURN tradecore_append_at(ids, streams, versions, names, states, seen, seen_link, links);
END
$append$
"""  # noqa: S608 - the number above is all that is put in
"""An append that depends on further streams, which must stand at these versions. Returns the same."""

APPEND_EACH_FUNCTION = f"""
CREATE FUNCTION tradecore_append_each(
    sizes bigint[], ids text[], streams text[], versions bigint[], names text[], states bytea[]
) RETURNS bytea LANGUAGE plpgsql AS $append$
DECLARE
    size bigint;
    low bigint := 1;
    high bigint;
    firsts bytea := '';
BEGIN
    -- Before the first of them: what an append takes is let go of again when it is undone.
    PERFORM pg_advisory_xact_lock({APPEND_LOCK} + 'events'::regclass::oid::bigint);
    FOREACH size IN ARRAY sizes LOOP
        high := low + size - 1;
        BEGIN
            firsts := firsts || substr(tradecore_append_at(
                ids[low:high], streams[low:high], versions[low:high], names[low:high], states[low:high],
                NULL, NULL, NULL
            ), 1, 8);
        EXCEPTION WHEN unique_violation OR SQLSTATE 'TC001' THEN
            firsts := firsts || int8send(0);
        END;
        low := high + 1;
    END LOOP;
    RETURN firsts;
END
$append$
"""
"""Returns the first position of each append, 0 for one that clashed and left nothing behind."""
