"""One vendor each; adapters never import a use case."""
