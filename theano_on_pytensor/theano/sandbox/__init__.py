"""What Theano kept apart as experimental; the random streams stayed here."""
