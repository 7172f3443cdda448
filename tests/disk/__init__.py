"""Disks that fail: no false acknowledgement, no writing on after a failed sync, no error that is not ours."""
