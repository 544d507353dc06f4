"""The spec as a program sees it: the types of its tables, their meaning, and one generated package for each wire version."""
