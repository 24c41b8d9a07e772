"""The command line and the running bot, as a user starts them."""
