"""The `tradecore` command: place and cancel, look at everything, follow, verify.

Results go to stdout, errors to stderr as one line. Exit codes: 0 done, 1 failed (or findings), 2 wrong input or
configuration, 3 refused by the risk gate, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys

__all__ = ["main"]

_BROKEN_PIPE = 141  # what a shell shows for a process that SIGPIPE ended


def main(argv: list[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process); returns the exit code."""
    from tradecore.cli.app import run
    from tradecore.cli.printing import show_error
    from tradecore.errors import ConfigurationError, InputError, OrderRefused, ResumeRefused, TradecoreError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a poor terminal gets a poor answer, not a traceback
    try:
        code = run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except (InputError, ConfigurationError) as error:
        show_error(str(error))
        return 2
    except (OrderRefused, ResumeRefused) as error:
        show_error(str(error))
        return 3
    except TradecoreError as error:
        show_error(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output went away: leave nothing for the interpreter to flush into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
