"""Every sentence that a person reads in Slack, in the reader's terms, with the next step.

Returns plain text; whoever shows it as mrkdwn escapes it. Refusals bring their own sentence, and
what stands in a picture is written where it is drawn.
"""
