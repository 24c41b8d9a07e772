"""What it means that a model in production went bad: measures, baselines, rules and verdicts.

Pure: no clock, no IO, no vendor, no arrays. What is measured comes in as counts or as outcomes in
order; what goes out is a verdict with its numbers and one sentence.
"""
