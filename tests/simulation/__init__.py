"""Several processes in one thread, on real SQLite files: who takes which step, and what befalls it, is drawn.

A killed process is one whose every further word to a database is refused: the frames that a kill would not have left
in order are unwound, and change nothing that outlives them. What happens in the middle of a step, at a failpoint, is
somebody else's whole step; so two transactions are open at once, but no two wait for each other: where SQLite would
have one wait, it is told at once that the database is locked. A schedule that has found something goes into `seeds/`,
as it was printed.
"""
