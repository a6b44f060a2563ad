"""Graph rewrites. They know the Ops."""
