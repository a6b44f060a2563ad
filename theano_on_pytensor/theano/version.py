"""The version of Theano whose API this package serves, and who serves it."""

version = "1.0.5+pytensor"
full_version = version
short_version = "1.0.5"

__all__ = ["full_version", "short_version", "version"]
