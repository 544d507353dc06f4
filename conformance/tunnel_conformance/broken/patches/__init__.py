"""What no row of a table says: functions that stand around ours and get one thing wrong.

Each is given the original first, then what that is given. `self` is the object whose method it is, and is looked into:
its type is Any, as is that of everything which is only handed on.
"""
