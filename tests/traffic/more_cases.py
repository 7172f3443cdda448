"""More stories, each for a purchase and a sale: beginnings with ends, and what is taken back after them.

Columns as in `cases`. Worked out from the quantities and prices of each line, not by the ledger.
"""

TABLE = """
bought, pending, part                     | buy 10   | pending, new, partial 3@100.5                                             | partially_filled 3 | 3     | 99698.5      | open
bought, pending, in two                   | buy 10   | pending, new, partial 3@100.5, fill 7@99.25                               | filled 10          | 10    | 99003.75     | open
bought, pending, part and canceled        | buy 10   | pending, new, partial 3@100.5, cancel                                     | canceled 3         | 3     | 99698.5      | open
bought, pending, part and expired         | buy 10   | pending, new, partial 3@100.5, expire                                     | expired 3          | 3     | 99698.5      | open
bought, accepted, part                    | buy 10   | accepted, new, partial 3@100.5                                            | partially_filled 3 | 3     | 99698.5      | open
bought, accepted, in two                  | buy 10   | accepted, new, partial 3@100.5, fill 7@99.25                              | filled 10          | 10    | 99003.75     | open
bought, accepted, part and canceled       | buy 10   | accepted, new, partial 3@100.5, cancel                                    | canceled 3         | 3     | 99698.5      | open
bought, accepted, part and expired        | buy 10   | accepted, new, partial 3@100.5, expire                                    | expired 3          | 3     | 99698.5      | open
bought, suspended, in three               | buy 10   | new, suspend, uncancel, partial 3@100.5, partial 2@99.75, fill 5@99.25    | filled 10          | 10    | 99002.75     | open
bought, suspended, in two                 | buy 10   | new, suspend, uncancel, partial 3@100.5, fill 7@99.25                     | filled 10          | 10    | 99003.75     | open
bought, suspended, part and canceled      | buy 10   | new, suspend, uncancel, partial 3@100.5, cancel                           | canceled 3         | 3     | 99698.5      | open
bought, suspended, part and expired       | buy 10   | new, suspend, uncancel, partial 3@100.5, expire                           | expired 3          | 3     | 99698.5      | open
bought, kept, in three                    | buy 10   | new, cancelling, uncancel, partial 3@100.5, partial 2@99.75, fill 5@99.25 | filled 10          | 10    | 99002.75     | open
bought, kept, in two                      | buy 10   | new, cancelling, uncancel, partial 3@100.5, fill 7@99.25                  | filled 10          | 10    | 99003.75     | open
bought, kept, part and canceled           | buy 10   | new, cancelling, uncancel, partial 3@100.5, cancel                        | canceled 3         | 3     | 99698.5      | open
bought, kept, part and expired            | buy 10   | new, cancelling, uncancel, partial 3@100.5, expire                        | expired 3          | 3     | 99698.5      | open
bought, unmoved, in three                 | buy 10   | new, replacing, unreplace, partial 3@100.5, partial 2@99.75, fill 5@99.25 | filled 10          | 10    | 99002.75     | open
bought, unmoved, in two                   | buy 10   | new, replacing, unreplace, partial 3@100.5, fill 7@99.25                  | filled 10          | 10    | 99003.75     | open
bought, unmoved, part and canceled        | buy 10   | new, replacing, unreplace, partial 3@100.5, cancel                        | canceled 3         | 3     | 99698.5      | open
bought, unmoved, part and expired         | buy 10   | new, replacing, unreplace, partial 3@100.5, expire                        | expired 3          | 3     | 99698.5      | open
bought, day, in three                     | buy 10   | new, done, partial 3@100.5, partial 2@99.75, fill 5@99.25                 | filled 10          | 10    | 99002.75     | open
bought, day, in two                       | buy 10   | new, done, partial 3@100.5, fill 7@99.25                                  | filled 10          | 10    | 99003.75     | open
bought, day, part and canceled            | buy 10   | new, done, partial 3@100.5, cancel                                        | canceled 3         | 3     | 99698.5      | open
bought, day, part and expired             | buy 10   | new, done, partial 3@100.5, expire                                        | expired 3          | 3     | 99698.5      | open
bought, stop, in three                    | buy 10   | new, stop, partial 3@100.5, partial 2@99.75, fill 5@99.25                 | filled 10          | 10    | 99002.75     | open
bought, stop, in two                      | buy 10   | new, stop, partial 3@100.5, fill 7@99.25                                  | filled 10          | 10    | 99003.75     | open
bought, stop, part and canceled           | buy 10   | new, stop, partial 3@100.5, cancel                                        | canceled 3         | 3     | 99698.5      | open
bought, stop, part and expired            | buy 10   | new, stop, partial 3@100.5, expire                                        | expired 3          | 3     | 99698.5      | open
bought, three parts, canceled             | buy 10   | new, partial 1@100, partial 2@101, partial 4@102, cancel                  | canceled 7         | 7     | 99290        | open
bought, one of two parts busted, canceled | buy 10   | new, partial 1@100, partial 2@101, cancel, bust x1 1@100                  | canceled 2         | 2     | 99798        | open
bought, a part corrected, canceled        | buy 10   | new, partial 1@100, partial 2@101, cancel, correct x2 2@101.5             | canceled 3         | 3     | 99697        | open
bought, canceled out of accepted          | buy 10   | accepted, cancel                                                          | canceled 0         | 0     | 100000       | abandoned
bought, canceled out of suspended         | buy 10   | new, suspend, cancel                                                      | canceled 0         | 0     | 100000       | abandoned
bought, canceled on the next day          | buy 10   | new, done, cancel                                                         | canceled 0         | 0     | 100000       | abandoned
bought, three parts, expired              | buy 10   | new, partial 1@100, partial 2@101, partial 4@102, expire                  | expired 7          | 7     | 99290        | open
bought, one of two parts busted, expired  | buy 10   | new, partial 1@100, partial 2@101, expire, bust x1 1@100                  | expired 2          | 2     | 99798        | open
bought, a part corrected, expired         | buy 10   | new, partial 1@100, partial 2@101, expire, correct x2 2@101.5             | expired 3          | 3     | 99697        | open
bought, expired out of accepted           | buy 10   | accepted, expire                                                          | expired 0          | 0     | 100000       | abandoned
bought, expired out of suspended          | buy 10   | new, suspend, expire                                                      | expired 0          | 0     | 100000       | abandoned
bought, expired on the next day           | buy 10   | new, done, expire                                                         | expired 0          | 0     | 100000       | abandoned
bought, three parts, replaced             | buy 10   | new, partial 1@100, partial 2@101, partial 4@102, replacing, replace      | replaced 7         | 7     | 99290        | open
bought, one of two parts busted, replaced | buy 10   | new, partial 1@100, partial 2@101, replacing, replace, bust x1 1@100      | replaced 2         | 2     | 99798        | open
bought, a part corrected, replaced        | buy 10   | new, partial 1@100, partial 2@101, replacing, replace, correct x2 2@101.5 | replaced 3         | 3     | 99697        | open
bought, replaced out of accepted          | buy 10   | accepted, replacing, replace                                              | replaced 0         | 0     | 100000       | abandoned
bought, replaced out of suspended         | buy 10   | new, suspend, replacing, replace                                          | replaced 0         | 0     | 100000       | abandoned
bought, replaced on the next day          | buy 10   | new, done, replacing, replace                                             | replaced 0         | 0     | 100000       | abandoned
bought, all three parts                   | buy 10   | new, partial 1@100, partial 2@101, fill 7@102, bust x2 2@101              | filled 8           | 8     | 99186        | open
bought, the cheapest corrected            | buy 10   | new, partial 1@100, partial 2@101, fill 7@102, correct x1 1@99.99         | filled 10          | 10    | 98984.01     | open
bought, two busted                        | buy 10   | new, partial 4@100, fill 6@101, bust x1 4@100, bust x2 6@101              | filled 0           | 0     | 100000       | abandoned
bought, busted and corrected              | buy 10   | new, partial 4@100, fill 6@101, bust x1 4@100, correct x2 5@101           | filled 5           | 5     | 99495        | open
bought in fractions, canceled             | buy 1.5  | new, partial 0.125@100.25, partial 0.5@100.5, cancel                      | canceled 0.625     | 0.625 | 99937.21875  | open
sold, pending, part                       | sell 10  | pending, new, partial 3@100.5                                             | partially_filled 3 | 7     | 100301.5     | open
sold, pending, in two                     | sell 10  | pending, new, partial 3@100.5, fill 7@99.25                               | filled 10          | 0     | 100996.25    | open
sold, pending, part and canceled          | sell 10  | pending, new, partial 3@100.5, cancel                                     | canceled 3         | 7     | 100301.5     | open
sold, pending, part and expired           | sell 10  | pending, new, partial 3@100.5, expire                                     | expired 3          | 7     | 100301.5     | open
sold, accepted, part                      | sell 10  | accepted, new, partial 3@100.5                                            | partially_filled 3 | 7     | 100301.5     | open
sold, accepted, in two                    | sell 10  | accepted, new, partial 3@100.5, fill 7@99.25                              | filled 10          | 0     | 100996.25    | open
sold, accepted, part and canceled         | sell 10  | accepted, new, partial 3@100.5, cancel                                    | canceled 3         | 7     | 100301.5     | open
sold, accepted, part and expired          | sell 10  | accepted, new, partial 3@100.5, expire                                    | expired 3          | 7     | 100301.5     | open
sold, suspended, in three                 | sell 10  | new, suspend, uncancel, partial 3@100.5, partial 2@99.75, fill 5@99.25    | filled 10          | 0     | 100997.25    | open
sold, suspended, in two                   | sell 10  | new, suspend, uncancel, partial 3@100.5, fill 7@99.25                     | filled 10          | 0     | 100996.25    | open
sold, suspended, part and canceled        | sell 10  | new, suspend, uncancel, partial 3@100.5, cancel                           | canceled 3         | 7     | 100301.5     | open
sold, suspended, part and expired         | sell 10  | new, suspend, uncancel, partial 3@100.5, expire                           | expired 3          | 7     | 100301.5     | open
sold, kept, in three                      | sell 10  | new, cancelling, uncancel, partial 3@100.5, partial 2@99.75, fill 5@99.25 | filled 10          | 0     | 100997.25    | open
sold, kept, in two                        | sell 10  | new, cancelling, uncancel, partial 3@100.5, fill 7@99.25                  | filled 10          | 0     | 100996.25    | open
sold, kept, part and canceled             | sell 10  | new, cancelling, uncancel, partial 3@100.5, cancel                        | canceled 3         | 7     | 100301.5     | open
sold, kept, part and expired              | sell 10  | new, cancelling, uncancel, partial 3@100.5, expire                        | expired 3          | 7     | 100301.5     | open
sold, unmoved, in three                   | sell 10  | new, replacing, unreplace, partial 3@100.5, partial 2@99.75, fill 5@99.25 | filled 10          | 0     | 100997.25    | open
sold, unmoved, in two                     | sell 10  | new, replacing, unreplace, partial 3@100.5, fill 7@99.25                  | filled 10          | 0     | 100996.25    | open
sold, unmoved, part and canceled          | sell 10  | new, replacing, unreplace, partial 3@100.5, cancel                        | canceled 3         | 7     | 100301.5     | open
sold, unmoved, part and expired           | sell 10  | new, replacing, unreplace, partial 3@100.5, expire                        | expired 3          | 7     | 100301.5     | open
sold, day, in three                       | sell 10  | new, done, partial 3@100.5, partial 2@99.75, fill 5@99.25                 | filled 10          | 0     | 100997.25    | open
sold, day, in two                         | sell 10  | new, done, partial 3@100.5, fill 7@99.25                                  | filled 10          | 0     | 100996.25    | open
sold, day, part and canceled              | sell 10  | new, done, partial 3@100.5, cancel                                        | canceled 3         | 7     | 100301.5     | open
sold, day, part and expired               | sell 10  | new, done, partial 3@100.5, expire                                        | expired 3          | 7     | 100301.5     | open
sold, stop, in three                      | sell 10  | new, stop, partial 3@100.5, partial 2@99.75, fill 5@99.25                 | filled 10          | 0     | 100997.25    | open
sold, stop, in two                        | sell 10  | new, stop, partial 3@100.5, fill 7@99.25                                  | filled 10          | 0     | 100996.25    | open
sold, stop, part and canceled             | sell 10  | new, stop, partial 3@100.5, cancel                                        | canceled 3         | 7     | 100301.5     | open
sold, stop, part and expired              | sell 10  | new, stop, partial 3@100.5, expire                                        | expired 3          | 7     | 100301.5     | open
sold, three parts, canceled               | sell 10  | new, partial 1@100, partial 2@101, partial 4@102, cancel                  | canceled 7         | 3     | 100710       | open
sold, one of two parts busted, canceled   | sell 10  | new, partial 1@100, partial 2@101, cancel, bust x1 1@100                  | canceled 2         | 8     | 100202       | open
sold, a part corrected, canceled          | sell 10  | new, partial 1@100, partial 2@101, cancel, correct x2 2@101.5             | canceled 3         | 7     | 100303       | open
sold, canceled out of accepted            | sell 10  | accepted, cancel                                                          | canceled 0         | 10    | 100000       | abandoned
sold, canceled out of suspended           | sell 10  | new, suspend, cancel                                                      | canceled 0         | 10    | 100000       | abandoned
sold, canceled on the next day            | sell 10  | new, done, cancel                                                         | canceled 0         | 10    | 100000       | abandoned
sold, three parts, expired                | sell 10  | new, partial 1@100, partial 2@101, partial 4@102, expire                  | expired 7          | 3     | 100710       | open
sold, one of two parts busted, expired    | sell 10  | new, partial 1@100, partial 2@101, expire, bust x1 1@100                  | expired 2          | 8     | 100202       | open
sold, a part corrected, expired           | sell 10  | new, partial 1@100, partial 2@101, expire, correct x2 2@101.5             | expired 3          | 7     | 100303       | open
sold, expired out of accepted             | sell 10  | accepted, expire                                                          | expired 0          | 10    | 100000       | abandoned
sold, expired out of suspended            | sell 10  | new, suspend, expire                                                      | expired 0          | 10    | 100000       | abandoned
sold, expired on the next day             | sell 10  | new, done, expire                                                         | expired 0          | 10    | 100000       | abandoned
sold, three parts, replaced               | sell 10  | new, partial 1@100, partial 2@101, partial 4@102, replacing, replace      | replaced 7         | 3     | 100710       | open
sold, one of two parts busted, replaced   | sell 10  | new, partial 1@100, partial 2@101, replacing, replace, bust x1 1@100      | replaced 2         | 8     | 100202       | open
sold, a part corrected, replaced          | sell 10  | new, partial 1@100, partial 2@101, replacing, replace, correct x2 2@101.5 | replaced 3         | 7     | 100303       | open
sold, replaced out of accepted            | sell 10  | accepted, replacing, replace                                              | replaced 0         | 10    | 100000       | abandoned
sold, replaced out of suspended           | sell 10  | new, suspend, replacing, replace                                          | replaced 0         | 10    | 100000       | abandoned
sold, replaced on the next day            | sell 10  | new, done, replacing, replace                                             | replaced 0         | 10    | 100000       | abandoned
sold, all three parts                     | sell 10  | new, partial 1@100, partial 2@101, fill 7@102, bust x2 2@101              | filled 8           | 2     | 100814       | open
sold, the cheapest corrected              | sell 10  | new, partial 1@100, partial 2@101, fill 7@102, correct x1 1@99.99         | filled 10          | 0     | 101015.99    | open
sold, two busted                          | sell 10  | new, partial 4@100, fill 6@101, bust x1 4@100, bust x2 6@101              | filled 0           | 10    | 100000       | abandoned
sold, busted and corrected                | sell 10  | new, partial 4@100, fill 6@101, bust x1 4@100, correct x2 5@101           | filled 5           | 5     | 100505       | open
sold in fractions, canceled               | sell 1.5 | new, partial 0.125@100.25, partial 0.5@100.5, cancel                      | canceled 0.625     | 9.375 | 100062.78125 | open
"""  # noqa: E501
