"""The Slack side of the bot, over the real wire."""
