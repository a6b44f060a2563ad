"""``ProfileMode``: Theano 0.9 has ``theano.function(..., profile=True)`` instead."""

from theano.compile.mode import Mode

__all__ = ["ProfileMode"]


class ProfileMode(Mode):
    """Runs functions; what it measured is now asked of ``profile=True``."""

    def print_summary(self, *args, **kwargs):
        """Refused: the times are those of functions compiled with ``profile=True``."""
        raise NotImplementedError(
            "ProfileMode measures nothing: compile with theano.function(..., "
            "profile=True) and call function.profile.summary()"
        )
