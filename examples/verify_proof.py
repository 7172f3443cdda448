"""Check a proof that `tradecore proof` wrote, without tradecore: standard library only, meant to be read.

    python verify_proof.py PROOF.json ANCHORS

ANCHORS is your own copy of the anchor file, from a time and place that the ledger's owner cannot reach: the anchor
inside the proof is only believed when it is in there too. Prints the event and exits 0, or says what is wrong and
exits 1.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def link(before: bytes, event: dict) -> bytes:
    """The link of an event in the hash chain: over the link before it, its place, and its stored bytes."""
    stream, name = event["stream"].encode(), event["name"].encode()
    head = struct.pack(">QQI", event["position"], event["version"], len(stream))
    return sha256(before, head, stream, struct.pack(">I", len(name)), name, event["state"].encode())


def root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of a tree of `size` leaves with this leaf at `index` (RFC 9162, section 2.1.3.2)."""
    at, last, node = index, size - 1, sha256(b"\0", leaf)
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if at & 1 or at == last:
            node = sha256(b"\1", sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = sha256(b"\1", node, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ValueError("the path is too short")
    return node


def check(proof: dict, trusted: list[dict]) -> dict:
    """The proved event. Raises `ValueError` when the proof does not hold."""
    if proof["format"] != "tradecore-proof-1":
        raise ValueError(f"unknown format {proof['format']}")
    anchor, event = proof["anchor"], proof["event"]
    if anchor not in trusted:
        raise ValueError("its anchor is not among the trusted ones")
    if not 1 <= event["position"] <= anchor["position"]:
        raise ValueError("the event lies behind the anchor")
    leaf = link(bytes.fromhex(proof["before"]), event)
    path = [bytes.fromhex(item) for item in proof["path"]]
    if root(leaf, event["position"] - 1, anchor["position"], path) != bytes.fromhex(anchor["root"]):
        raise ValueError("the event does not lead to the root that was anchored")
    return event


def main() -> int:
    try:
        proof = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        lines = Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
        event = check(proof, [json.loads(line) for line in lines if line.strip()])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, struct.error) as error:
        print(f"refused: {error!r}")
        return 1
    anchor = proof["anchor"]
    print(f"proved: position {event['position']} of ledger {anchor['ledger_id']}, anchored {anchor['recorded_at']}")
    print(f"{event['stream']} version {event['version']}: {event['name']} {event['state']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
