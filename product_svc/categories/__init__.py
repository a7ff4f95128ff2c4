"""Categories: a tree in which products are placed, and what attributes these must have."""
