"""The real programs, started and ended, looked at and told what to do: what all tests in Python drive them with."""
