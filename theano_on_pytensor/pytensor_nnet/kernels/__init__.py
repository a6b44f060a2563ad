"""Arrays in, arrays out. Nothing here knows PyTensor."""
