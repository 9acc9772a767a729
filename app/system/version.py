"""The version of this project, as `pyproject.toml` has it: what exported files say they were made with."""

VERSION = "0.1.0"
