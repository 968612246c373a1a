"""The tables of a module's database: what they should be, what they are, and the way from here to there."""
