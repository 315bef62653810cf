"""IR to text: names, expressions, statements, modules, and loading them."""
