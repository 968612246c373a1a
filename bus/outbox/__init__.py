"""What a module still owes to others, written with the business change, and what drains it."""
