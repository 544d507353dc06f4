"""Implementations that are wrong in one way each: every check of the kit must catch at least one of them."""
