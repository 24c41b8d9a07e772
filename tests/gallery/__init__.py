"""Every message and modal that people see, smallest and largest, judged and put on one page."""
