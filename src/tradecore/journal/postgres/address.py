"""Where a ledger in Postgres is: a libpq URL with parameters of ours, `schema` and `keys`.

Passwords never leave this page.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tradecore.errors import InputError

DEFAULT_SCHEMA = "tradecore"
EXPECTED = "postgresql://user@host:port/database?schema=name"

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")
_DEFAULTS: dict[str, str] = {
    "application_name": "tradecore",
    "connect_timeout": "5",
    # A host that is gone without a word is noticed in half a minute, also in the middle of a statement.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


@attrs.frozen
class Address:
    """A ledger's place. `shown` names host, database and schema for messages, and nothing secret.

    `keys` is the directory with the keys of sealed texts, None when texts are not to be sealed.
    """

    url: str = attrs.field(repr=False)
    conninfo: str = attrs.field(repr=False)
    schema: str
    shown: str
    keys: Path | None
    _secret: str = attrs.field(repr=False)

    def clean(self, text: str) -> str:
        """A message of the driver in one line, without the password should it hold that."""
        line = " ".join(text.split())
        return line.replace(self._secret, "***") if self._secret else line


def parse(url: str) -> Address:
    """The address behind a URL. Raises `InputError`, never showing the part that may hold a password."""
    base, _, query = url.partition("?")
    schema = DEFAULT_SCHEMA
    keys: Path | None = None
    theirs: list[str] = []
    for item in filter(None, query.split("&")):
        name, _, value = item.partition("=")
        if name == "schema":
            schema = unquote(value)
        elif name == "keys":
            keys = Path(unquote(value))
            if not keys.is_absolute() or not keys.is_dir():
                raise InputError("ledger keys", unquote(value), "the absolute path of a directory that exists")
        else:
            theirs.append(item)
    if not _NAME.fullmatch(schema) or schema.startswith("pg_") or schema == "information_schema":
        raise InputError("ledger schema", schema, "a lower-case name of letters, digits and _, not one of Postgres")
    try:
        given = conninfo_to_dict(base + ("?" + "&".join(theirs) if theirs else ""))
    except psycopg.Error:
        raise InputError("ledger", f"{base.partition(':')[0]}://…", EXPECTED) from None
    known = {name: str(value) for name, value in given.items() if value is not None}
    host = known.get("host") or known.get("hostaddr") or "the default host"
    port = f":{known['port']}" if "port" in known else ""
    database = known.get("dbname") or known.get("user") or "the default database"
    shown = f"database {database} (schema {schema}) on {host}{port}"
    conninfo = make_conninfo("", **{**_DEFAULTS, **known, "client_encoding": "UTF8"})
    return Address(url, conninfo, schema, shown, keys, known.get("password", ""))
