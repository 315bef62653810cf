"""Clean-ups and the last step before emission: passes `Function -> Function`."""
