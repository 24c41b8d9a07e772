"""The story on one machine; needs the extra `demo`."""
