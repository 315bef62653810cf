"""Source-to-source automatic differentiation of NumPy programs."""
