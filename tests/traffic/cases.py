"""Cases: side and quantity, what the broker says, and the ledger after it, all by hand.

Columns: name | side quantity | story | status, filled | position | cash | trade. The account begins with cash of
100000, and, for sales, with 10 SPY at 90. A dash: the trade of a late fill depends on what was known when it came.
"""

from __future__ import annotations

import attrs

from tests.traffic.more_cases import TABLE as _MORE

_TABLE = """
filled at once             | buy 10  | new, fill 10@100                                     | filled 10           | 10 | 99000    | open
filled before new          | buy 10  | fill 10@100, new                                     | filled 10           | 10 | 99000    | open
filled in two              | buy 10  | new, partial 4@100, fill 6@101                       | filled 10           | 10 | 98994    | open
filled in three            | buy 10  | new, partial 1@100, partial 2@101, fill 7@102        | filled 10           | 10 | 98984    | open
filled in fractions        | buy 1.5 | new, partial 0.25@100, fill 1.25@101.5               | filled 1.5          | 1.5 | 99848.125 | open
the ninth decimal          | buy 0.000000003 | new, partial 0.000000001@100, fill 0.000000002@100 | filled 0.000000003 | 0.000000003 | 99999.9999997 | open
equal parts                | buy 10  | new, partial 5@100, fill 5@100                       | filled 10           | 10 | 99000    | open
pending to filled          | buy 10  | pending, new, fill 10@100                            | filled 10           | 10 | 99000    | open
accepted to filled         | buy 10  | accepted, new, fill 10@100                           | filled 10           | 10 | 99000    | open
held, then filled          | buy 10  | held, new, fill 10@100                               | filled 10           | 10 | 99000    | open
new only                   | buy 10  | new                                                  | new 0               | 0  | 100000   | working
accepted only              | buy 10  | accepted                                             | accepted 0          | 0  | 100000   | working
held only                  | buy 10  | held                                                 | held 0              | 0  | 100000   | working
partly filled              | buy 10  | new, partial 4@100                                   | partially_filled 4  | 4  | 99600    | open
stopped                    | buy 10  | new, stop                                            | stopped 0           | 0  | 100000   | working
suspended                  | buy 10  | new, suspend                                         | suspended 0         | 0  | 100000   | working
suspended and back         | buy 10  | new, suspend, uncancel                               | new 0               | 0  | 100000   | working
done for the day           | buy 10  | new, done                                            | done_for_day 0      | 0  | 100000   | working
done, filled the next day  | buy 10  | new, done, fill 10@100                               | filled 10           | 10 | 99000    | open
calculated                 | buy 10  | new, calculate                                       | calculated 0        | 0  | 100000   | working
canceled                   | buy 10  | new, cancel                                          | canceled 0          | 0  | 100000   | abandoned
canceled while cancelling  | buy 10  | new, cancelling, cancel                              | canceled 0          | 0  | 100000   | abandoned
part, then canceled        | buy 10  | new, partial 4@100, cancel                           | canceled 4          | 4  | 99600    | open
part while cancelling      | buy 10  | new, cancelling, partial 4@100, cancel               | canceled 4          | 4  | 99600    | open
two parts, then canceled   | buy 10  | new, partial 4@100, partial 3@99, cancel             | canceled 7          | 7  | 99303    | open
filled while cancelling    | buy 10  | new, cancelling, fill 10@100                         | filled 10           | 10 | 99000    | open
cancel refused             | buy 10  | new, cancelling, uncancel                            | new 0               | 0  | 100000   | working
cancel refused, filled     | buy 10  | new, cancelling, uncancel, fill 10@100               | filled 10           | 10 | 99000    | open
fill after the cancel      | buy 10  | new, cancel, partial 4@100                           | canceled 4          | 4  | 99600    | -
expired                    | buy 10  | new, expire                                          | expired 0           | 0  | 100000   | abandoned
part, then expired         | buy 10  | new, partial 4@100, expire                           | expired 4           | 4  | 99600    | open
rejected late              | buy 10  | pending, reject                                      | rejected 0          | 0  | 100000   | abandoned
replaced                   | buy 10  | new, replacing, replace                              | replaced 0          | 0  | 100000   | abandoned
part, then replaced        | buy 10  | new, partial 4@100, replacing, replace               | replaced 4          | 4  | 99600    | open
replace refused            | buy 10  | new, replacing, unreplace                            | new 0               | 0  | 100000   | working
replace refused, filled    | buy 10  | new, replacing, unreplace, fill 10@100               | filled 10           | 10 | 99000    | open
restated                   | buy 10  | new, restate                                         | new 0               | 0  | 100000   | working
restated in between        | buy 10  | new, partial 4@100, restate, fill 6@101              | filled 10           | 10 | 98994    | open
restated sale, canceled    | sell 10 | new, partial 4@100, restate, cancel                  | canceled 4          | 6  | 100400   | open
busted whole               | buy 10  | new, fill 10@100, bust x1 10@100                     | filled 0            | 0  | 100000   | abandoned
first part busted          | buy 10  | new, partial 4@100, fill 6@101, bust x1 4@100        | filled 6            | 6  | 99394    | open
last part busted           | buy 10  | new, partial 4@100, fill 6@101, bust x2 6@101        | filled 4            | 4  | 99600    | open
busted after a cancel      | buy 10  | new, partial 4@100, cancel, bust x1 4@100            | canceled 0          | 0  | 100000   | abandoned
corrected price            | buy 10  | new, fill 10@100, correct x1 10@99                   | filled 10           | 10 | 99010    | open
corrected quantity         | buy 10  | new, fill 10@100, correct x1 9@100                   | filled 9            | 9  | 99100    | open
corrected part             | buy 10  | new, partial 4@100, fill 6@101, correct x1 3@98      | filled 9            | 9  | 99100    | open
sold                       | sell 10 | new, fill 10@100                                     | filled 10           | 0  | 101000   | open
sold in two                | sell 10 | new, partial 4@100, fill 6@101                       | filled 10           | 0  | 101006   | open
sold a part, canceled      | sell 10 | new, partial 4@100, cancel                           | canceled 4          | 6  | 100400   | open
sold through zero          | sell 15 | new, partial 10@100, fill 5@101                      | filled 15           | -5 | 101505   | open
sale busted                | sell 10 | new, fill 10@100, bust x1 10@100                     | filled 0            | 10 | 100000   | abandoned
sale corrected             | sell 10 | new, fill 10@100, correct x1 10@105                  | filled 10           | 0  | 101050   | open
sale corrected to less     | sell 10 | new, fill 10@100, correct x1 8@100                   | filled 8            | 2  | 100800   | open
"""  # noqa: E501


@attrs.frozen
class Case:
    """One line of the table."""

    name: str
    side: str
    quantity: str
    story: str
    status: str
    filled: str
    position: str
    cash: str
    trade: str


def _case(line: str) -> Case:
    name, terms, story, end, position, cash, trade = (cell.strip() for cell in line.split("|"))
    side, quantity = terms.split()
    status, filled = end.split()
    return Case(name, side, quantity, story, status, filled, position, cash, trade)


CASES = tuple(_case(line) for line in (_TABLE + _MORE).splitlines() if line.strip())
