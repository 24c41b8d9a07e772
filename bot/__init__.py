"""The Slack side of Foureyes: the bot, its command line, and the workspace to try it against."""
