"""Tables as Parquet files, through pyarrow, which is an extra and imported only here.

Numbers are `decimal128(38, 9)`; a column in which one has more places or digits than that is a column of strings, exact
as well. Times are `timestamp[us, UTC]`. Lists stay lists: ids as strings, lots as structs of `opened_by, qty, price`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from tradecore.books.columns import Kind, columns_of
from tradecore.books.replacing import replacing
from tradecore.errors import ConfigurationError, MissingExtra
from tradecore.views.view import Row

_PLACES, _WHOLE_DIGITS = 9, 29


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("writing Parquet files", "parquet") from None
    return pa, pq


def write_parquet(directory: Path, tables: Mapping[str, list[Row]]) -> None:
    """Write `TABLE.parquet` for each table into a directory, which is made; what was there under these names goes.

    Raises `MissingExtra` without pyarrow, `ConfigurationError` for a place that cannot be written to.
    """
    pa, pq = _pyarrow()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot make the directory {directory}: {error.strerror or error}") from None
    for name, rows in tables.items():
        table = _table(pa, name, rows)
        with replacing(directory / f"{name}.parquet") as path:
            pq.write_table(table, path)


def _table(pa: Any, name: str, rows: list[Row]) -> Any:
    arrays, fields = [], []
    for column, kind in columns_of(name, rows).items():
        values = [row.get(column) for row in rows]
        type_ = _type(pa, kind, values)
        fields.append(pa.field(column, type_))
        arrays.append(pa.array([None if value is None else _value(kind, value, type_) for value in values], type_))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _type(pa: Any, kind: Kind, values: list[Any]) -> Any:
    match kind:
        case Kind.NUMBER:
            return _number_type(pa, values)
        case Kind.TIME:
            return pa.timestamp("us", tz="UTC")
        case Kind.WHOLE:
            return pa.int64()
        case Kind.FLAG:
            return pa.bool_()
        case Kind.TEXTS:
            return pa.list_(pa.string())
        case Kind.LOTS:
            number = _number_type(pa, [lot[field] for lots in values for lot in lots for field in ("qty", "price")])
            return pa.list_(pa.struct([("opened_by", pa.string()), ("qty", number), ("price", number)]))
        case _:
            return pa.string()


def _number_type(pa: Any, values: list[str | None]) -> Any:
    fits = all(value is None or _fits(Decimal(value)) for value in values)
    return pa.decimal128(_PLACES + _WHOLE_DIGITS, _PLACES) if fits else pa.string()


def _fits(number: Decimal) -> bool:
    return -int(number.as_tuple().exponent) <= _PLACES and number.adjusted() < _WHOLE_DIGITS


def _value(kind: Kind, value: Any, type_: Any) -> Any:
    match kind:
        case Kind.NUMBER:
            return value if str(type_) == "string" else Decimal(value)
        case Kind.TIME:
            return dt.datetime.fromisoformat(value)
        case Kind.LOTS:
            number = str if str(type_.value_type.field("qty").type) == "string" else Decimal
            return [lot | {"qty": number(lot["qty"]), "price": number(lot["price"])} for lot in value]
        case Kind.TEXT:
            return str(value)
        case _:
            return value
