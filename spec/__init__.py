"""The protocol as tables, one folder for each wire version, and the compiler that reads them."""
