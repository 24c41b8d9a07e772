"""Stories: from what a person does to the audit record."""
