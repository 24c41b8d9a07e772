"""One module per intention; they know the rules and the ports, and no vendor."""
