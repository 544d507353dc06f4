"""The implementation under test: how it is started, told what its agent does, sped up, and ended without a trace."""
