"""`python -m tradecore.publishing DIRECTORY`: write the catalogue of published events there."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from tradecore.publishing.catalogue import asyncapi, json_schema, page


def files() -> dict[str, bytes]:
    """The generated files by name."""
    documents = {"events.schema.json": json_schema(), "asyncapi.json": asyncapi()}
    written = {
        name: msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n" for name, content in documents.items()
    }
    return {**written, "events.md": page().encode()}


def main(arguments: list[str]) -> int:
    """Write the files; returns the exit code."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m tradecore.publishing DIRECTORY\n")
        return 2
    for name, content in files().items():
        (Path(arguments[0]) / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
