"""From Python functions to IR: abstract interpretation of syntax trees."""
