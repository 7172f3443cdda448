"""Keeping a ledger: copies, rewound history, sizes, erasure, a full disk."""
