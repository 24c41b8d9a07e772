"""The store and the file of heads, each promise by itself, on both databases."""
