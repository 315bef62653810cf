"""The intermediate representation: typed, structured SSA with functional array writes."""
