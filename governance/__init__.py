"""The rules of promotion and their record; knows nothing of Slack."""
