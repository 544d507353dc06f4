"""Wire version 1 of the protocol, generated from `spec/v1/`: never edited.

Lets the agents of two people talk through a throwaway, end-to-end encrypted tunnel: one host, one guest, one join link.
"""
