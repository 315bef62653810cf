"""An adversarial test of every function that users can call; `python tools/table.py` runs all of it."""
